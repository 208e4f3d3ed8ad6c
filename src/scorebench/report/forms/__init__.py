"""The types of the JSON files besides the recording; their schemas are made from them."""
