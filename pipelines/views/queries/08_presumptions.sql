-- Presumed removals that stand, and those of earlier versions that were taken back (now of another verdict, or gone).
SELECT DISTINCT a.scale_set_id, a.instance_id, a.onset, a.operation_key, c.verdict AS verdict_now
FROM {trueup}all_attributions a
JOIN {trueup}revisions v ON v.scale_set_id = a.scale_set_id AND v.cell = a.cell AND v.as_of = a.as_of
LEFT JOIN {trueup}attributions c ON c.scale_set_id = a.scale_set_id AND c."start" = a."start" AND c.instance_id = a.instance_id
WHERE a.verdict = 'presumed_removed'
ORDER BY scale_set_id, onset, instance_id
