-- Overruns, of operations that did not bring an instance back in time (of the set itself: instance_id is null).
-- First those still open (1), of whose last row the seconds are not told yet; then the longest.
SELECT scale_set_id, instance_id, onset, MAX("limit") AS "limit", verb, initiator, operation_key,
  CASE WHEN COUNT("end") = COUNT(*) THEN 0 ELSE 1 END AS still_open,
  SUM(COALESCE(excused_seconds, 0)) AS excused_seconds, SUM(COALESCE(counted_seconds, 0)) AS counted_seconds
FROM {trueup}attributions
WHERE verdict = 'overrun'
GROUP BY scale_set_id, instance_id, onset, verb, initiator, operation_key
ORDER BY still_open DESC, counted_seconds DESC, scale_set_id, onset, COALESCE(instance_id, '')
