-- works with: 0015
-- From here on every migration begins with such a line: the oldest schema whose programs may go on after it.

-- What it stated. Nobody had a program that lived with a newer schema before there was this column.
ALTER TABLE schema_migration ADD COLUMN works_with text NOT NULL DEFAULT '0015';
ALTER TABLE schema_migration ALTER COLUMN works_with DROP DEFAULT;
