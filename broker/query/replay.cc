#include "broker/query/replay.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "broker/base/limits.h"
#include "broker/machine/facts.h"
#include "broker/machine/keys.h"
#include "broker/query/audit_fields.h"
#include "broker/query/destroyed.h"
#include "broker/query/page_token.h"
#include "broker/query/past_event.h"
#include "broker/query/reading.h"
#include "schakel/v1/record.pb.h"

namespace schakel::query {

namespace {

bool IsDecision(v1::RecordKind kind) {
  return kind == v1::RECORD_KIND_PUBLISH || kind == v1::RECORD_KIND_DELIVERY;
}

// Walks through the log, event by event.
class Replayer {
 public:
  Replayer(const store::StateReader& state, Bundles& bundles, const Scope& scope,
           const v1::ReplayRequest& request, const std::optional<ActiveBundle>& by)
      : state_(state),
        scope_(scope),
        first_(request.first_index()),
        decider_(state, bundles, by),
        destroyed_(state) {}

  Result<v1::ReplayResponse> Run(uint32_t page_size) {
    const uint64_t end = scope_.tree_size();
    SCHAKEL_ASSIGN(uint64_t index, BeginOfEvent(std::min(first_, end)));
    while (index < end) {
      if (out_.recomputed() >= page_size || looked_ >= limits::kScanPerQueryMax) {
        out_.set_next_index(index);
        break;
      }
      SCHAKEL_ASSIGN(index, Step(index, end));
    }
    return std::move(out_);
  }

 private:
  // Reads a record; nullopt when it was destroyed.
  Result<std::optional<PastRecord>> Load(uint64_t index) {
    ++looked_;
    SCHAKEL_ASSIGN(auto stored, RecordAt(state_, index));
    last_destroyed_ = false;
    if (stored.destroyed_us() != 0) {
      SCHAKEL_ASSIGN(auto by, destroyed_.By(stored.destroyed_us(), stored.sweep_index()));
      last_destroyed_ = IsDecision(by.kind());
      return std::optional<PastRecord>();
    }
    PastRecord past;
    past.has_detail = !stored.detail().empty();
    if (!past.record.ParseFromString(stored.record()) ||
        !past.detail.ParseFromString(stored.detail())) {
      return Damaged("a stored value is no Record");
    }
    return std::optional(std::move(past));
  }

  static bool SameEvent(const v1::Record& a, const v1::Record& b) {
    return a.kind() == b.kind() && a.event_id() == b.event_id();
  }

  // The first index of the event that `index` lies in: a decision needs all its records.
  Result<uint64_t> BeginOfEvent(uint64_t index) {
    if (index >= scope_.tree_size()) return index;
    SCHAKEL_ASSIGN(auto here, Load(index));
    while (here && index > 0) {
      SCHAKEL_ASSIGN(auto before, Load(index - 1));
      if (!before || !SameEvent(before->record, here->record)) break;
      --index;
    }
    return index;
  }

  // Decides the event at `index` again. The index behind it.
  Result<uint64_t> Step(uint64_t index, uint64_t end) {
    const bool after_destroyed = last_destroyed_;
    SCHAKEL_ASSIGN(auto first, Load(index));
    if (!first) {
      if (last_destroyed_ && index >= first_) out_.set_destroyed(out_.destroyed() + 1);
      return index + 1;
    }
    bool decision = IsDecision(first->record.kind()) && !first->record.detail_commitment().empty();
    if (!decision || !scope_.Covers(first->record)) return index + 1;

    std::vector<PastRecord> event;
    event.push_back(*std::move(first));
    uint64_t next = index + 1;
    for (; next < end; ++next) {
      SCHAKEL_ASSIGN(auto more, Load(next));
      if (!more || !SameEvent(more->record, event.front().record)) break;
      event.push_back(*std::move(more));
    }
    last_destroyed_ = false;  // what lies behind the event is looked at in its own step
    // A sweep ends anywhere: what stands right behind destroyed decisions may lack its first part.
    bool whole = !after_destroyed && std::all_of(event.begin(), event.end(),
                                                 [](const auto& e) { return e.has_detail; });
    std::optional<std::vector<std::vector<Redecided>>> decided;
    if (whole) {
      SCHAKEL_ASSIGN(decided, decider_.Decide(event));
    }
    if (!decided) {  // a detail, or a statement, went by its term
      for (const auto& past : event) {
        if (past.record.index() >= first_) out_.set_destroyed(out_.destroyed() + 1);
      }
      return next;
    }
    const auto& again = *decided;
    for (size_t i = 0; i < event.size(); ++i) {
      if (event[i].record.index() >= first_) Compare(event[i], again[i]);
    }
    return next;
  }

  void Compare(const PastRecord& past, const std::vector<Redecided>& again) {
    for (int i = 0; i < past.detail.questions_size(); ++i) {
      const auto& then = past.detail.questions(i);
      const Redecided& now = again[static_cast<size_t>(i)];
      out_.set_recomputed(out_.recomputed() + 1);
      if (then.outcome() == now.outcome && then.reason() == now.reason) continue;
      auto* difference = out_.add_differences();
      difference->set_index(past.record.index());
      difference->set_recipient(then.recipient());
      difference->set_section(then.section());
      difference->set_then(then.outcome());
      difference->set_then_reason(then.reason());
      difference->set_now(now.outcome);
      difference->set_now_reason(now.reason);
    }
  }

  const store::StateReader& state_;
  const Scope& scope_;
  const uint64_t first_;
  PastDecider decider_;
  Destroyed destroyed_;
  v1::ReplayResponse out_;
  size_t looked_ = 0;
  bool last_destroyed_ = false;
};

}  // namespace

Status CheckReplay(const store::StateReader& state, Bundles& bundles,
                   const v1::ReplayRequest& request) {
  SCHAKEL_TRY(Failure(PageSize(request.page_size())));
  if (request.digest().empty()) return {};
  return Failure(bundles.Named(state, request.digest()));
}

Result<v1::ReplayResponse> Replay(const store::StateReader& state, Bundles& bundles,
                                  const Scope& scope, const v1::ReplayRequest& request) {
  SCHAKEL_ASSIGN(uint32_t page_size, PageSize(request.page_size()));
  std::optional<ActiveBundle> by;
  if (!request.digest().empty()) {
    SCHAKEL_ASSIGN(by, bundles.Named(state, request.digest()));
  }
  return Replayer(state, bundles, scope, request, by).Run(page_size);
}

Result<Scope> ScopeOfMember(const store::StateReader& state, const OrganisationId& oin) {
  SCHAKEL_ASSIGN(auto meta, MetaOf(state));
  SCHAKEL_ASSIGN(auto entry, machine::FindOrganisation(state, oin));
  if (!entry) return NotFound("no such organisation", "");
  const auto& member = entry->organisation();
  if (member.role() == v1::ROLE_REGISTRAR) return Scope::Region(meta.tree_size());
  machine::QueryGrant grant;
  grant.region =
      member.role() == v1::ROLE_AUDITOR && member.audit_scope() == v1::AUDIT_SCOPE_REGION &&
      member.audit_scope_until().seconds() > static_cast<int64_t>(meta.time_us() / 1'000'000);
  grant.organisations.push_back(member.oin());
  for (const auto& audited : member.audited_oins()) grant.organisations.push_back(audited);
  grant.tree_size = meta.tree_size();
  return Scope::Of(grant);
}

}  // namespace schakel::query
