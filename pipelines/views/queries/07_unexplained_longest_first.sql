-- Episodes that no operation explains (of the set itself: instance_id is null).
-- First those still open (1), of whose last row the seconds are not told yet; then the longest.
SELECT scale_set_id, instance_id, onset, worst_state, ended, still_open, counted_seconds
FROM {trueup}episodes
WHERE verdict IN ('unexplained', 'fault')
ORDER BY still_open DESC, counted_seconds DESC, scale_set_id, onset, COALESCE(instance_id, '')
