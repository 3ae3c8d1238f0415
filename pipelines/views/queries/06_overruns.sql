-- Operations that did not bring an instance back in time.
SELECT scale_set_id, instance_id, onset, MAX("limit") AS "limit", verb, initiator, operation_key,
  SUM(COALESCE(excused_seconds, 0)) AS excused_seconds, SUM(COALESCE(counted_seconds, 0)) AS counted_seconds
FROM {trueup}attributions
WHERE verdict = 'overrun'
GROUP BY scale_set_id, instance_id, onset, verb, initiator, operation_key
ORDER BY counted_seconds DESC, scale_set_id, onset
