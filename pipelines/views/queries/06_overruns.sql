-- Overruns, of operations that did not bring an instance back in time (of the set itself: instance_id is null).
-- First those still open (1), of whose last row the seconds are not told yet; then the longest.
SELECT scale_set_id, instance_id, onset, excused_until, verb, initiator, still_open, excused_seconds, counted_seconds, operation_key
FROM {trueup}episodes
WHERE verdict = 'overrun'
ORDER BY still_open DESC, counted_seconds DESC, scale_set_id, onset, COALESCE(instance_id, '')
