"""What the stages share. Nothing here is a stage or imports one."""
