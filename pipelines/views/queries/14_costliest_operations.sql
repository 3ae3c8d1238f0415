-- The ten operations that cost most: instance seconds that count although the operation explains how they began (it overran, or
-- does not excuse), then those that it excuses; while an episode is still open, as long as the record of its set goes on.
SELECT e.scale_set_id, e.verb, e.initiator, e.operation_start,
  COUNT(DISTINCT e.instance_id) AS instances, SUM(e.still_open) AS still_open,
  SUM(CASE WHEN e.still_open = 0 THEN e.counted_seconds WHEN e.counted_from < k.known THEN {seconds e.counted_from k.known}
    ELSE 0 END) AS counted_seconds,
  SUM(e.excused_seconds) AS excused_seconds, e.operation_key
FROM {trueup}episodes e
JOIN (SELECT scale_set_id, MAX(ended) AS known FROM {trueup}availability GROUP BY scale_set_id) k
  ON k.scale_set_id = e.scale_set_id
WHERE e.verb IS NOT NULL AND e.instance_id IS NOT NULL
GROUP BY e.scale_set_id, e.verb, e.initiator, e.operation_start, e.operation_key
ORDER BY counted_seconds DESC, excused_seconds DESC, scale_set_id, operation_start, verb
LIMIT 10
