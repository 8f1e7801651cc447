#include "broker/query/statements.h"

#include <algorithm>
#include <vector>

#include "broker/machine/context.h"
#include "broker/machine/keys.h"
#include "broker/query/audit_fields.h"
#include "broker/query/page_scan.h"
#include "broker/query/reading.h"

namespace schakel::query {

using store::Family;

namespace {

ListId ListOf(const OrganisationId& caller, const v1::ListStatementsRequest& request) {
  return {"ListStatements", caller.str(), FilterOf(request)};
}

ListId ListOf(const OrganisationId& caller, const StatementId& withdrawn) {
  return {"WithdrawStatement", caller.str(), withdrawn.str()};
}

bool MayList(const v1::Statement& s, const OrganisationId& caller) {
  return s.recorder() == caller.str() || s.sender().organisation() == caller.str() ||
         s.recipient().organisation() == caller.str();
}

Result<state::v1::StatementState> Load(const store::StateReader& state, const StatementId& id) {
  SCHAKEL_ASSIGN(auto stored, Read<state::v1::StatementState>(state, Family::kRegistry,
                                                              machine::keys::Statement(id)));
  if (!stored) return Damaged("a statement that is linked is missing");
  return *std::move(stored);
}

v1::StatementSummary Summary(const state::v1::StatementState& stored) {
  v1::StatementSummary summary;
  summary.set_statement(stored.statement());
  machine::SetTimestamp(stored.recorded_us(), summary.mutable_recorded());
  if (stored.withdrawn_us() != 0) {
    machine::SetTimestamp(stored.withdrawn_us(), summary.mutable_withdrawn());
  }
  return summary;
}

// What the caller may see of a subject, in order of recording. The machine keeps at most
// limits::kStatementsPerSubjectMax of a subject.
Result<std::vector<state::v1::StatementState>> OfSubject(const store::StateReader& state,
                                                         const OrganisationId& caller,
                                                         const v1::SubjectRef& subject) {
  std::vector<StatementId> ids;
  for (const auto& pair : subject.pairs()) {
    if (pair.epoch() == 0) continue;
    SCHAKEL_TRY(state.ScanPrefix(Family::kHot, machine::keys::SubjectStatementPrefix(pair),
                                 [&](BytesView key, BytesView) {
                                   ids.push_back(*StatementId::From(key.substr(key.size() - 16)));
                                   return true;
                                 }));
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::vector<state::v1::StatementState> found;
  for (const auto& id : ids) {
    SCHAKEL_ASSIGN(auto stored, Load(state, id));
    if (MayList(stored.parsed(), caller)) found.push_back(std::move(stored));
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.record_index() < b.record_index(); });
  return found;
}

// One page of a subject's; the cursor is the index of the first record of the page.
Status PageOfSubject(const store::StateReader& state, const PageTokens& tokens, const ListId& list,
                     const OrganisationId& caller, const v1::SubjectRef& subject, uint64_t from,
                     PageRoom room, v1::ListStatementsResponse* out) {
  SCHAKEL_ASSIGN(auto found, OfSubject(state, caller, subject));
  for (const auto& stored : found) {
    if (stored.record_index() < from) continue;
    v1::StatementSummary summary = Summary(stored);
    if (!room.Take(summary.ByteSizeLong())) {
      SCHAKEL_ASSIGN(*out->mutable_next_page_token(),
                     tokens.Seal(list, ByteWriter().U64(stored.record_index()).Take()));
      return {};
    }
    *out->add_statements() = std::move(summary);
  }
  return {};
}

// One page of those that the caller recorded; the cursor is the id of the first of the page.
Status PageOfRecorder(const store::StateReader& state, const PageTokens& tokens, const ListId& list,
                      const OrganisationId& caller, const Bytes& from, PageRoom room,
                      v1::ListStatementsResponse* out) {
  const auto row = [&](BytesView key, BytesView) -> Result<v1::StatementSummary> {
    SCHAKEL_ASSIGN(auto stored, Load(state, *StatementId::From(key)));
    return Summary(stored);
  };
  SCHAKEL_ASSIGN(Bytes next,
                 ScanPage(state, Family::kHot, machine::keys::RecorderStatementPrefix(caller), from,
                          room, row, out->mutable_statements()));
  if (!next.empty()) {
    SCHAKEL_ASSIGN(*out->mutable_next_page_token(), tokens.Seal(list, next));
  }
  return {};
}

}  // namespace

Status CheckListStatements(const PageTokens& tokens, const OrganisationId& caller,
                           const v1::ListStatementsRequest& request) {
  SCHAKEL_TRY(Failure(PageSize(request.page_size())));
  return Failure(tokens.Open(ListOf(caller, request), request.page_token()));
}

Result<v1::ListStatementsResponse> ListStatements(const store::StateReader& state,
                                                  const PageTokens& tokens,
                                                  const OrganisationId& caller,
                                                  const v1::ListStatementsRequest& request) {
  SCHAKEL_ASSIGN(uint32_t size, PageSize(request.page_size()));
  ListId list = ListOf(caller, request);
  SCHAKEL_ASSIGN(auto cursor, tokens.Open(list, request.page_token()));
  SCHAKEL_ASSIGN(auto meta, MetaOf(state));
  v1::ListStatementsResponse response;
  response.set_position(meta.position());
  Bytes from = cursor.value_or(Bytes());
  if (request.has_subject()) {
    SCHAKEL_TRY(PageOfSubject(state, tokens, list, caller, request.subject(),
                              ByteReader(from).U64().value_or(0), PageRoom(size), &response));
  } else {
    SCHAKEL_TRY(PageOfRecorder(state, tokens, list, caller, from, PageRoom(size), &response));
  }
  return response;
}

Status CheckEarlierDeliveries(const PageTokens& tokens, const OrganisationId& caller,
                              const StatementId& statement,
                              const v1::WithdrawStatementRequest& request) {
  SCHAKEL_TRY(Failure(PageSize(request.page_size())));
  return Failure(tokens.Open(ListOf(caller, statement), request.page_token()));
}

Status EarlierDeliveries(const store::StateReader& state, const PageTokens& tokens,
                         const OrganisationId& caller, const StatementId& statement,
                         const v1::WithdrawStatementRequest& request,
                         v1::WithdrawStatementResponse* out) {
  SCHAKEL_ASSIGN(uint32_t size, PageSize(request.page_size()));
  ListId list = ListOf(caller, statement);
  SCHAKEL_ASSIGN(auto cursor, tokens.Open(list, request.page_token()));
  SCHAKEL_ASSIGN(auto stored, Read<state::v1::StatementState>(state, Family::kRegistry,
                                                              machine::keys::Statement(statement)));
  if (!stored || stored->parsed().recorder() != caller.str()) {
    return NotFound("the caller recorded no statement of that id", "withdrawal.statement_id");
  }
  Bytes prefix = machine::keys::RelianceOfDeliveryPrefix(statement);
  PageRoom room(size);
  Status failed;
  Bytes next;
  SCHAKEL_TRY(
      state.Scan(Family::kHot, prefix + cursor.value_or(Bytes()), store::PrefixEnd(prefix),
                 [&](BytesView key, BytesView value) {
                   state::v1::ReliedDelivery relied;
                   if (!relied.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
                     failed = Damaged("a stored value is no ReliedDelivery");
                     return false;
                   }
                   if (!room.Take(value.size())) {
                     next = Bytes(key.substr(prefix.size()));
                     return false;
                   }
                   auto* delivery = out->add_earlier_deliveries();
                   delivery->set_recipient(relied.recipient());
                   delivery->set_signal_id(relied.signal_id());
                   delivery->set_sender(relied.sender());
                   machine::SetTimestamp(relied.delivered_us(), delivery->mutable_delivered());
                   *delivery->mutable_categories() = relied.categories();
                   return true;
                 }));
  SCHAKEL_TRY(std::move(failed));
  if (!next.empty()) {
    SCHAKEL_ASSIGN(*out->mutable_next_page_token(), tokens.Seal(list, next));
  }
  return {};
}

}  // namespace schakel::query
