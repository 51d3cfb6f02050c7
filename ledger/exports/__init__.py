"""The form of exported files: line ends, files that appear whole, the manifest. No database in here."""
