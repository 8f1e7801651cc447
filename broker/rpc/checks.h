// The shape of requests: what is missing, too large or malformed, before a command is made of them.
#pragma once

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "schakel/v1/consent.pb.h"
#include "schakel/v1/directory.pb.h"
#include "schakel/v1/policy.pb.h"
#include "schakel/v1/signal.pb.h"

namespace schakel::rpc {

// FIELD_MISSING or FIELD_INVALID unless `raw` is exactly `size` bytes.
Status CheckSized(BytesView raw, size_t size, const std::string& field);

Status CheckPreflight(const v1::PreflightRequest& request);
Status CheckAttach(const v1::AttachSubjectRequest& request);
// The parsed bytes of a statement and of a withdrawal.
Status CheckStatement(const v1::Statement& statement);
Status CheckWithdrawal(const v1::Withdrawal& withdrawal);
Status CheckConsentQuestion(const v1::CheckConsentRequest& request);
Status CheckRecipient(const v1::RoutedRecipient& recipient, const std::string& field);

}  // namespace schakel::rpc
