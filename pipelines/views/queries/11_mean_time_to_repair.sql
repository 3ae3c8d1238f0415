-- Mean time to repair of instances: the counted seconds of an episode (of an overrun, from its limit on), of those that are over.
-- Unlike in `trueup report`, time in which such an instance was Unknown is left out.
SELECT scale_set_id, COUNT(*) AS episodes, SUM(counted) / COUNT(*) AS mean_seconds
FROM (
  SELECT scale_set_id, instance_id, onset, SUM(counted_seconds) AS counted
  FROM {trueup}attributions
  WHERE instance_id IS NOT NULL AND verdict IN ('unexplained', 'fault', 'unexcused', 'overrun')
  GROUP BY scale_set_id, instance_id, onset
  HAVING COUNT("end") = COUNT(*) AND SUM(counted_seconds) > 0
) episodes
GROUP BY scale_set_id
ORDER BY mean_seconds DESC, scale_set_id
