-- The ten longest real outages, of any verdict that counts (of the set itself: instance_id is null), each in one row: from where
-- it counts (of an overrun, its limit) to its end, or, while it is still open (1), to where the record of its set ends.
SELECT e.scale_set_id, e.instance_id, e.verdict, e.verb, e.worst_state, e.counted_from, e.ended, e.still_open,
  {seconds e.counted_from COALESCE(e.ended,k.known)} AS seconds
FROM {trueup}episodes e
JOIN (SELECT scale_set_id, MAX(ended) AS known FROM {trueup}availability GROUP BY scale_set_id) k
  ON k.scale_set_id = e.scale_set_id
WHERE e.counted_from IS NOT NULL AND e.counted_from < COALESCE(e.ended, k.known)
ORDER BY seconds DESC, e.scale_set_id, e.counted_from, COALESCE(e.instance_id, '')
LIMIT 10
