"""The map on the page: pictures, outlines and series of the report as one document that its script reads."""
