-- Episodes that no operation explains, the longest first. One that is open has an end of null.
SELECT scale_set_id, instance_id, onset, MAX(worst_state) AS worst_state,
  CASE WHEN COUNT("end") = COUNT(*) THEN MAX("end") END AS "end",
  SUM(COALESCE(counted_seconds, 0)) AS counted_seconds
FROM {trueup}attributions
WHERE verdict IN ('unexplained', 'fault')
GROUP BY scale_set_id, instance_id, onset
ORDER BY counted_seconds DESC, scale_set_id, onset
