"""Where recipients say how it stands with what they were told. Programs speak here: no cookie, no session, one JSON shape of refusals."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from kept.apps.requests import limits, telling
from kept.apps.requests.telling_wire import DOMAIN, MOST_BYTES, SIGNATURE
from kept.core.errors import KeptError
from kept.platform.accounts.queries import account_by_slug


@csrf_exempt
@require_POST
def answer(request: HttpRequest, slug: str, token: str) -> JsonResponse:
    """A recipient's signed word. 202 with how it stands now; 403 for a signature that is not theirs, 404 for an address that is none."""
    account, network = account_by_slug(slug), limits.network_of(request)
    if not limits.may_knock(account.pk, network):
        return JsonResponse(
            {"error": "too-many", "message": "Too much that could not be taken came from here. Try again in an hour."}, status=429
        )
    body = request.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        limits.knocked(account.pk, network)
        return JsonResponse({"error": "bad-input", "message": f"The body is longer than {MOST_BYTES} bytes."}, status=413)
    try:
        status = telling.answer(account, token, body, request.headers.get(DOMAIN, ""), request.headers.get(SIGNATURE, ""))
    except KeptError as error:
        if error.status < 500:
            limits.knocked(account.pk, network)
        return JsonResponse(error.as_dict(), status=error.status)
    return JsonResponse({"request_status": status}, status=202)
