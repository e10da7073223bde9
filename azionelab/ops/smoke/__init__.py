"""`flask smoke`: whether a deployment really serves visitors, found out by being one."""
