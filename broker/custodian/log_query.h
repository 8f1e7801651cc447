// Records of the custodian's log as its readers get them. The look itself is a record already; this
// reads on a durable snapshot, within the reader's scope.
#pragma once

#include <cstdint>
#include <string>

#include "broker/audit/page_token.h"
#include "broker/base/ids.h"
#include "broker/base/result.h"
#include "broker/store/state_reader.h"
#include "schakel/v1/custodian.pb.h"

namespace schakel::custodian {

// Which records a reader may open: an auditor with authority all, a partner its own. The
// custodian's own acts (start, members file, operator's acts) have no party: only the first sees
// them.
struct LogScope {
  bool all = false;
  OrganisationId organisation;
  uint64_t tree_size = 0;  // records at and after it are out of every scope

  bool Covers(const v1::Record& record) const {
    return record.index() < tree_size && (all || record.organisation() == organisation.str());
  }
  // all or own: as the record of the look and the answer say it.
  const char* name() const { return all ? "all" : "own"; }
};

// What can be said of a request before its record is written: FIELD_MISSING, FIELD_INVALID (also
// for a filter that no record of a custodian can match: subject, signal, ground), TOO_LARGE,
// PAGE_TOKEN_INVALID.
Status CheckQuery(const audit::PageTokens& tokens, const OrganisationId& caller,
                  const v1::QueryLogRequest& request);
// FIELD_MISSING, FIELD_INVALID, TOO_LARGE.
Status CheckExport(const v1::ExportLogRequest& request);

// Oldest first. A page ends when it is full, or when limits::kScanPerQueryMax records were looked
// at; then it has a token, however few it holds. Later pages keep to the tree that the first one
// saw. `receipt` is of the record of this look. Errors as CheckQuery.
Result<v1::QueryLogResponse> QueryLog(const store::StateReader& state,
                                      const audit::PageTokens& tokens, const LogScope& scope,
                                      const v1::LogReceipt& receipt,
                                      const v1::QueryLogRequest& request);

}  // namespace schakel::custodian
