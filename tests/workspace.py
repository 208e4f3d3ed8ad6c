"""A local HTTPS service that stands for a Databricks workspace with one endpoint. Knows no scorebench.

Held to what Databricks documents and its SDK asks for: discovery, OAuth for service principals (scope
all-apis, id and secret in the header), the endpoint's description, and for a route-optimised endpoint the
exchange of the workspace's token for one with the endpoint's authorization details.
"""

from __future__ import annotations

from time import monotonic

from tests.gateway import Asked, Gateway, Route, Said, Tokens, scores

EXCHANGE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DETAILS = (
    '[{"type":"workspace_permission","object_type":"serving-endpoints","object_path":"/a","actions":["q"]}]'
)


class Workspace:
    """Add its `routes` to a gateway; `better` is the host of a route-optimised endpoint."""

    def __init__(self, server: Gateway, tokens: Tokens, name: str, better: Gateway | None = None) -> None:
        self.tokens, self.name, self.better = tokens, name, better
        self.exchanged: dict[str, float] = {}
        """The tokens for the endpoint alone, and when they end."""
        self._url = server.url
        server.routes |= {
            "/.well-known/databricks-config": lambda _: Said(
                200, {"oidc_endpoint": f"{self._url}/oidc", "workspace_id": "123"}
            ),
            "/oidc/.well-known/oauth-authorization-server": lambda _: Said(
                200,
                {
                    "authorization_endpoint": f"{self._url}/oidc/v1/authorize",
                    "token_endpoint": f"{self._url}/oidc/v1/token",
                },
            ),
            "/oidc/v1/token": self._token,
            f"/api/2.0/serving-endpoints/{name}": tokens.guard(self._described),
            self.path: tokens.guard(scores),
        }
        if better is not None:
            better.routes[self.path] = self._guarded(scores)

    @property
    def path(self) -> str:
        return f"/serving-endpoints/{self.name}/invocations"

    def _described(self, _: Asked) -> Said:
        if self.better is None:
            return Said(200, {"name": self.name})
        info = {"endpoint_url": f"{self.better.url}{self.path}", "authorization_details": DETAILS}
        return Said(
            200, {"name": self.name, "route_optimized": True, "data_plane_info": {"query_info": info}}
        )

    def _token(self, asked: Asked) -> Said:
        fields = asked.form
        if fields.get("grant_type") != EXCHANGE:
            return self.tokens.issue(asked)
        good = self.tokens.issued.get(fields.get("assertion", ""), 0.0) > monotonic()
        wanted = {"grant_type", "assertion", "authorization_details"}
        if set(fields) != wanted or not good or fields["authorization_details"] != DETAILS:
            return Said(400, {"error": "invalid_grant"})
        token = f"endpoint-token-{len(self.exchanged)}-0123456789"
        self.exchanged[token] = monotonic() + self.tokens.lifetime_s
        said = {"access_token": token, "token_type": "Bearer", "expires_in": self.tokens.lifetime_s}
        return Said(200, said)

    def _guarded(self, route: Route) -> Route:
        """For who has a token for the endpoint; the workspace's is none."""

        def answer(asked: Asked) -> Said:
            token = asked.headers.get("authorization", "").removeprefix("Bearer ")
            return route(asked) if self.exchanged.get(token, 0.0) > asked.at_s else Said(401)

        return answer
