-- Episodes that no operation explains (of the set itself: instance_id is null).
-- First those still open (1), of whose last row the seconds are not told yet; then the longest.
SELECT scale_set_id, instance_id, onset,
  CASE MAX(CASE worst_state WHEN 'Unavailable' THEN 3 WHEN 'Degraded' THEN 2 WHEN 'Unknown' THEN 1 ELSE 0 END)
    WHEN 3 THEN 'Unavailable' WHEN 2 THEN 'Degraded' WHEN 1 THEN 'Unknown' ELSE 'Available' END AS worst_state,
  CASE WHEN COUNT("end") = COUNT(*) THEN MAX("end") END AS "end",
  CASE WHEN COUNT("end") = COUNT(*) THEN 0 ELSE 1 END AS still_open,
  SUM(COALESCE(counted_seconds, 0)) AS counted_seconds
FROM {trueup}attributions
WHERE verdict IN ('unexplained', 'fault')
GROUP BY scale_set_id, instance_id, onset
ORDER BY still_open DESC, counted_seconds DESC, scale_set_id, onset, COALESCE(instance_id, '')
