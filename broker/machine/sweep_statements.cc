// Consents and objections go a term after their end, in order of it. INVARIANT I4: what a statement
// brought about stays: a consent that an objection withdrew stands as withdrawn itself, and an id
// that was used takes no statement again until that one could no longer be recorded anyway.
#include "broker/base/limits.h"
#include "broker/machine/handlers.h"
#include "broker/machine/sweep.h"

namespace schakel::machine {

using store::Family;

namespace {

uint64_t EndOf(const state::v1::StatementState& state) {
  const uint64_t ends_us = state.parsed().not_after_ms() * 1000;
  return state.withdrawn_us() == 0 ? ends_us : std::min(ends_us, state.withdrawn_us());
}

// Who relied on it and who was told: `at_most` keys, then false.
Result<bool> ForgetReaders(Context& ctx, const StatementId& id, size_t* left) {
  std::vector<Bytes> readers;
  for (const Bytes& prefix : {keys::RelianceOfDeliveryPrefix(id), keys::NoticedPrefix(id)}) {
    SCHAKEL_TRY(ctx.view().ScanPrefix(Family::kHot, prefix, [&](BytesView key, BytesView) {
      readers.emplace_back(key);
      return readers.size() <= *left;
    }));
  }
  const bool all = readers.size() <= *left;
  if (!all) readers.resize(*left);
  *left -= readers.size();
  for (auto& key : readers) ctx.Delete(Family::kHot, std::move(key));
  return all;
}

void Destroy(Context& ctx, const StatementId& id, const state::v1::StatementState& state) {
  const v1::Statement& s = state.parsed();
  for (const auto& pair : s.subject().pairs()) {
    ctx.Delete(Family::kHot, keys::SubjectStatement(pair, id));
  }
  if (auto recorder = OrganisationId::From(s.recorder())) {
    ctx.Delete(Family::kHot, keys::RecorderStatement(*recorder, id));
  }
  const uint64_t ends_us = s.not_after_ms() * 1000;
  if (ends_us <= ctx.now_us()) return ctx.Delete(Family::kRegistry, keys::Statement(id));
  state::v1::StatementState used;
  used.set_destroyed_us(ctx.now_us());
  ctx.Put(Family::kRegistry, keys::Statement(id), used);
  ctx.PutRaw(Family::kHot, keys::StatementEnd(ends_us, id), {});
}

}  // namespace

void SetStatementEnd(Context& ctx, const StatementId& id, const state::v1::StatementState& before,
                     const state::v1::StatementState& now) {
  if (before.has_parsed()) ctx.Delete(Family::kHot, keys::StatementEnd(EndOf(before), id));
  ctx.PutRaw(Family::kHot, keys::StatementEnd(EndOf(now), id), {});
}

Result<bool> SweepStatements(Context& ctx, const policy::CompiledBundle& bundle, size_t share,
                             Destruction* out) {
  const auto term = policy::StatementTerm(bundle);
  std::vector<Bytes> due;
  SCHAKEL_TRY(ctx.view().ScanPrefix(Family::kHot, keys::StatementEndPrefix(),
                                    [&](BytesView key, BytesView) {
                                      ByteReader reader(key.substr(1));
                                      if (!IsDue(ctx, reader.U64().value_or(0), term.keep)) {
                                        return false;
                                      }
                                      due.emplace_back(key);
                                      return due.size() <= share;
                                    }));
  size_t left = share;
  for (auto& key : due) {
    if (left == 0 || out->full()) return false;
    --left;
    const auto id = *StatementId::From(BytesView(key).substr(9));
    state::v1::StatementState state;
    SCHAKEL_ASSIGN(const bool found, ctx.Get(Family::kRegistry, keys::Statement(id), &state));
    if (!found) {
      return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", "a statement that ended is missing");
    }
    if (state.destroyed_us() != 0) {
      ctx.Delete(Family::kRegistry, keys::Statement(id));
      ctx.Delete(Family::kHot, std::move(key));
      continue;
    }
    SCHAKEL_ASSIGN(const bool forgotten, ForgetReaders(ctx, id, &left));
    if (!forgotten) return false;
    ctx.Delete(Family::kHot, std::move(key));
    Destroy(ctx, id, state);
    out->Count("statements", v1::RECORD_KIND_UNSPECIFIED, term.rule);
  }
  return true;
}

}  // namespace schakel::machine
