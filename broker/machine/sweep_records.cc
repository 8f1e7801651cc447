// Records and details whose term ended. Records stand in order of age, so for each different term
// one walk over them, that never turns back, finds all that have it: nothing is written for it when
// a record is made, and no kind waits for another.
#include "broker/machine/handlers.h"
#include "broker/machine/sweep.h"

namespace schakel::machine {

using store::Family;

namespace {

Error Corrupt(const char* what) { return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", what); }

void UnindexSubject(Context& ctx, uint64_t index, const v1::Detail& detail) {
  for (const auto& pair : detail.subject().pairs()) {
    if (pair.epoch() != 0) ctx.Delete(Family::kLocal, keys::SubjectIndex(pair, index));
  }
}

class Walk {
 public:
  Walk(Context& ctx, const policy::CompiledBundle& bundle, state::v1::SweepWalk* walk,
       Destruction* out)
      : ctx_(ctx),
        bundle_(bundle),
        keep_(Millis(static_cast<int64_t>(walk->term_us() / 1000))),
        walk_(walk),
        out_(out) {}

  Result<bool> Run(size_t share) {
    const uint64_t end = ctx_.meta().tree_size();
    for (size_t looked = 0; walk_->next() < end; ++looked) {
      if (looked == share || out_->full()) return false;
      SCHAKEL_ASSIGN(const bool passed, Look(walk_->next()));
      if (!passed) return true;
      walk_->set_next(walk_->next() + 1);
    }
    return true;
  }

 private:
  // False where the walk ends: a record that is too young for its term.
  Result<bool> Look(uint64_t index) {
    // A walk of a longer term was here in this very command.
    if (out_->Has(index)) return true;
    state::v1::StoredRecord stored;
    SCHAKEL_ASSIGN(const bool found, ctx_.Get(Family::kRecords, keys::Record(index), &stored));
    if (!found) return Corrupt("a record is missing");
    if (stored.destroyed_us() != 0) return true;
    v1::Record record;
    if (!record.ParseFromString(stored.record())) return Corrupt("a stored value is no Record");
    if (!IsDue(ctx_, record.time_us(), keep_)) return false;
    v1::Detail detail;
    if (!stored.detail().empty() && !detail.ParseFromString(stored.detail())) {
      return Corrupt("a stored value is no Detail");
    }
    const auto term = policy::RecordTerm(bundle_, record.kind(), record.signal_type());
    const auto of_detail = policy::DetailTerm(bundle_, record.kind());
    if (term && term->keep <= keep_) {
      state::v1::StoredRecord rest;
      rest.set_entry(stored.entry());
      rest.set_destroyed_us(ctx_.now_us());
      SCHAKEL_TRY(ctx_.Unindex(record));
      UnindexSubject(ctx_, index, detail);
      out_->CountRecord(index, record.kind(), term->rule, /*detail_alone=*/false, std::move(rest));
    } else if (of_detail && of_detail->keep <= keep_ && !stored.detail_salt().empty()) {
      stored.clear_detail();
      stored.clear_detail_salt();
      stored.set_detail_destroyed_us(ctx_.now_us());
      UnindexSubject(ctx_, index, detail);
      out_->CountRecord(index, record.kind(), of_detail->rule, /*detail_alone=*/true,
                        std::move(stored));
    }
    return true;
  }

  Context& ctx_;
  const policy::CompiledBundle& bundle_;
  const Millis keep_;
  state::v1::SweepWalk* const walk_;
  Destruction* const out_;
};

}  // namespace

// The longest term first: what it destroys whole needs no walk of its detail's term.
Result<bool> SweepRecords(Context& ctx, const policy::CompiledBundle& bundle, size_t share,
                          state::v1::SweepState* state, Destruction* out) {
  bool done = true;
  for (auto& walk : *state->mutable_walks()) {
    SCHAKEL_ASSIGN(const bool to_the_end, Walk(ctx, bundle, &walk, out).Run(share));
    done &= to_the_end;
  }
  return done;
}

}  // namespace schakel::machine
