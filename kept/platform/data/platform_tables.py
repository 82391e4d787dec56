"""What the columns of the platform's tables say: sign-in, sessions, jobs. Also for libraries, whose models are not ours to declare on.

`column` alone is plain; `column:category` holds something about a member of a team, never about the people an account keeps records of.
"""

from __future__ import annotations

_DECLARED = """
django_content_type        id app_label model
django_session             session_key session_data:account-credentials expire_date
auth_permission            id name content_type_id codename
auth_group                 id name
auth_group_permissions     id group_id permission_id
account_emailaddress       id user_id email:email verified primary
account_emailconfirmation  id email_address_id created sent key:account-credentials
mfa_authenticator          id user_id type data:account-credentials created_at last_used_at
usersessions_usersession   id user_id created_at ip:ip-address last_seen_at session_key:account-credentials user_agent:device data
privacy_noticeversion      id account_id number text digest bits activated_at activated_by
privacy_activation         id account_id number text digest acceptance summary tell decided_at decided_by effective_at told_up_to told
                           told_at version_id finished_at stopped_at
accounts_user              id password:account-credentials last_login email:email name:name is_operator is_active created_at
accounts_account           id slug name region created_at closed_at notice_version promises_private processor_id
accounts_member            id account_id user_id role created_at
accounts_invitation        id account_id email:email role created_at
accounts_cacheentry        cache_key value expires
jobs_job                   id label account_id arguments priority key slot status run_after attempts holder lease_until done total word
                           error_class error_code enqueued_at started_at finished_at
"""


def _parse(text: str) -> dict[str, dict[str, str | None]]:
    found: dict[str, dict[str, str | None]] = {}
    for line in text.strip().splitlines():
        words = line.split()
        table = list(found)[-1] if line[0] == " " else words.pop(0)
        columns = found.setdefault(table, {})
        for word in words:
            column, _, category = word.partition(":")
            columns[column] = category or None
    return found


PLATFORM: dict[str, dict[str, str | None]] = _parse(_DECLARED)
