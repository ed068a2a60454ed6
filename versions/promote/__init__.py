"""Judge a registered model beside the champion and make it champion if it passes (`make promote`)."""
