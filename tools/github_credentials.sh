#!/usr/bin/env bash
# In a job of GitHub's CI: let later steps act as the AWS role $ROLE, for an hour, without a stored key.
# The job needs `permissions: id-token: write`, and the role trusts the repository's tokens (docs/pull-requests.md).
set -euo pipefail
: "${ROLE:?Set ROLE to the ARN of the role.}"
: "${ACTIONS_ID_TOKEN_REQUEST_URL:?The job needs the permission id-token: write.}"

file="$RUNNER_TEMP/aws-token"
curl --silent --show-error --fail --header "Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \
  "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=sts.amazonaws.com" | jq --raw-output --join-output .value > "$file"
{
  echo "AWS_ROLE_ARN=$ROLE"
  echo "AWS_WEB_IDENTITY_TOKEN_FILE=$file"
  echo "AWS_ROLE_SESSION_NAME=portmesh-${GITHUB_RUN_ID:-run}"
} >> "$GITHUB_ENV"
