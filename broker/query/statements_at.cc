// Consents and objections as they stood. Those that were destroyed by their term lead to nobody any
// more, so what sweeps took since then is said of all together.
#include <algorithm>
#include <map>
#include <vector>

#include "broker/base/limits.h"
#include "broker/machine/context.h"
#include "broker/machine/keys.h"
#include "broker/query/reading.h"
#include "broker/query/state_parts.h"

namespace schakel::query {

using store::Family;

namespace {

// A page begins among the statements, or behind them among the sweeps.
constexpr char kAmongStatements = 's';
constexpr char kAmongSweeps = 'w';

v1::StatementStanding StandingAt(const state::v1::StatementState& stored,
                                 const machine::Moment& moment) {
  const v1::Statement& s = stored.parsed();
  const uint64_t over_us = s.not_after_ms() * 1000;
  const bool withdrawn =
      stored.withdrawn_us() != 0 && moment.Has(stored.withdrawn_us(), stored.withdrawal_index());
  // What was withdrawn after its last day had ended before.
  if (withdrawn && stored.withdrawn_us() < over_us) return v1::STATEMENT_STANDING_WITHDRAWN;
  if (moment.at_us >= over_us) return v1::STATEMENT_STANDING_EXPIRED;
  if (moment.at_us < s.not_before_ms() * 1000) return v1::STATEMENT_STANDING_NOT_YET;
  return v1::STATEMENT_STANDING_IN_FORCE;
}

v1::StatementAt StatementThen(const PastPage& page, const state::v1::StatementState& stored) {
  const v1::Statement& s = stored.parsed();
  v1::StatementAt at;
  at.set_statement_id(s.statement_id());
  at.set_kind(s.kind());
  at.set_standing(StandingAt(stored, page.moment));
  if (s.has_sender()) *at.mutable_sender() = s.sender();
  if (s.has_recipient()) *at.mutable_recipient() = s.recipient();
  at.set_case_id(s.case_id());
  at.set_category(s.category());
  at.set_purpose(s.purpose());
  machine::SetTimestamp(s.not_before_ms() * 1000, at.mutable_valid_from());
  machine::SetTimestamp(s.not_after_ms() * 1000, at.mutable_valid_until());
  at.set_grantor(s.grantor());
  at.set_identity_check(s.identity_check());
  at.set_form_version(s.form_version());
  at.set_recorder(s.recorder());
  machine::SetTimestamp(stored.recorded_us(), at.mutable_recorded());
  at.set_record_index(stored.record_index());
  if (stored.withdrawn_us() != 0 && stored.withdrawal_index() < page.tree_size) {
    machine::SetTimestamp(stored.withdrawn_us(), at.mutable_withdrawn());
    at.set_withdrawal_index(stored.withdrawal_index());
    at.set_withdrawn_by_objection(stored.withdrawal().empty());
  }
  return at;
}

// The statement when it is of the asked recorder, in scope, and the moment has it.
Result<std::optional<state::v1::StatementState>> Shown(const PastPage& page, const StatementId& id,
                                                       const std::string& recorder) {
  SCHAKEL_ASSIGN(auto stored, Read<state::v1::StatementState>(page.state, Family::kRegistry,
                                                              machine::keys::Statement(id)));
  if (!stored) return Damaged("a statement that is linked is missing");
  const std::string& by = stored->parsed().recorder();
  const bool shown = (recorder.empty() || recorder == by) && page.scope.CoversParty(by) &&
                     page.moment.Has(stored->recorded_us(), stored->record_index());
  if (!shown) stored.reset();
  return stored;
}

// In order of recording; `from` is an index. The machine keeps at most
// limits::kStatementsPerSubjectMax of a subject.
Result<Bytes> OfOneSubject(const PastPage& page, const v1::GetStateAtRequest& request,
                           BytesView from, v1::GetStateAtResponse* out) {
  std::vector<StatementId> ids;
  for (const auto& pair : request.subject().pairs()) {
    SCHAKEL_TRY(page.state.ScanPrefix(
        Family::kHot, machine::keys::SubjectStatementPrefix(pair), [&](BytesView key, BytesView) {
          ids.push_back(*StatementId::From(key.substr(key.size() - 16)));
          return true;
        }));
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::map<uint64_t, state::v1::StatementState> by_index;
  for (const auto& id : ids) {
    SCHAKEL_ASSIGN(auto shown, Shown(page, id, request.organisation()));
    if (shown) by_index.emplace(shown->record_index(), *std::move(shown));
  }
  PageRoom room(page.rows_max);
  const uint64_t begin = ByteReader(from).U64().value_or(0);
  for (auto it = by_index.lower_bound(begin); it != by_index.end(); ++it) {
    auto at = StatementThen(page, it->second);
    if (!room.Take(at.ByteSizeLong())) return ByteWriter().U64(it->first).Take();
    *out->add_statements() = std::move(at);
  }
  return Bytes();
}

// In order of their ids; `from` is one.
Result<Bytes> OfOneRecorder(const PastPage& page, const std::string& recorder, BytesView from,
                            v1::GetStateAtResponse* out) {
  if (!page.scope.CoversParty(recorder)) return Bytes();
  const Bytes prefix = machine::keys::RecorderStatementPrefix(*OrganisationId::From(recorder));
  PageRoom room(page.rows_max);
  size_t looked = 0;
  Status failed;
  Bytes next;
  SCHAKEL_TRY(page.state.Scan(Family::kHot, prefix + Bytes(from), store::PrefixEnd(prefix),
                              [&](BytesView key, BytesView) {
                                const BytesView id = key.substr(prefix.size());
                                if (looked++ == limits::kScanPerQueryMax) {
                                  next = Bytes(id);
                                  return false;
                                }
                                auto shown = Shown(page, *StatementId::From(id), recorder);
                                if (!shown.ok()) {
                                  failed = shown.error();
                                  return false;
                                }
                                if (!shown->has_value()) return true;
                                auto at = StatementThen(page, **shown);
                                if (!room.Take(at.ByteSizeLong())) {
                                  next = Bytes(id);
                                  return false;
                                }
                                *out->add_statements() = std::move(at);
                                return true;
                              }));
  SCHAKEL_TRY(std::move(failed));
  return next;
}

}  // namespace

// INVARIANT: of what is destroyed it says the same whomever the request is about. A sweep after the
// look, or between two pages, takes what this page would have shown: so the sums reach to the end
// of what is read.
Result<Bytes> FillStatements(const PastPage& page, const v1::GetStateAtRequest& request,
                             v1::GetStateAtResponse* out) {
  const bool among_sweeps = !page.from.empty() && page.from[0] == kAmongSweeps;
  Bytes begin = machine::keys::SweepIndex("statements", page.moment.at_us, page.moment.end_index);
  if (among_sweeps) {
    begin = page.from.substr(1);
  } else {
    const BytesView from = page.from.empty() ? BytesView() : BytesView(page.from).substr(1);
    SCHAKEL_ASSIGN(const Bytes next, request.has_subject()
                                         ? OfOneSubject(page, request, from, out)
                                         : OfOneRecorder(page, request.organisation(), from, out));
    if (!next.empty()) return kAmongStatements + next;
  }
  SweptSums sums(page);
  SCHAKEL_ASSIGN(const Bytes left,
                 sums.Add(begin, store::PrefixEnd(machine::keys::SweepIndexPrefix("statements"))));
  sums.Fill(out);
  return left.empty() ? left : kAmongSweeps + left;
}

}  // namespace schakel::query
