"""An HttpUser of your own: importing the plugin is all it takes to get scorebench's tables and folder."""

from locust import HttpUser, task

import scorebench.plugin  # noqa: F401  its listeners count every request

ROW = {"dataframe_split": {"columns": ["alcohol", "pH"], "data": [[11.0, 3.2]]}}


class MyUser(HttpUser):
    """Posts one row, again and again."""

    @task
    def score(self) -> None:
        """One request."""
        self.client.post("/invocations", json=ROW)
