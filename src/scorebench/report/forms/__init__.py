"""What stands in the JSON files besides the recording: types, from which their schemas are made."""
