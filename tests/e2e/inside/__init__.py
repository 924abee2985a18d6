"""Programs that the tests run in pods, with nothing but what the API's image holds."""
