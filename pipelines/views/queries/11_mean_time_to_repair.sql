-- Mean time to repair of instances: the counted seconds of an episode (of an overrun, from its limit on), of those that are over.
-- Unlike in `trueup report`, time in which such an instance was Unknown is left out.
SELECT scale_set_id, COUNT(*) AS episodes, SUM(counted_seconds) / COUNT(*) AS mean_seconds
FROM {trueup}episodes
WHERE instance_id IS NOT NULL AND counted_from IS NOT NULL AND still_open = 0 AND counted_seconds > 0
GROUP BY scale_set_id
ORDER BY mean_seconds DESC, scale_set_id
