#include "broker/machine/machine.h"

#include "broker/machine/handlers.h"
#include "broker/machine/keys.h"

namespace schakel::machine {

using store::Family;

namespace {

// The RPC that a command came by, for the record of a refused attempt.
struct RpcName {
  std::string operator()(const PublishEnvelope&) const { return "Publish"; }
  std::string operator()(const Preflight&) const { return "Preflight"; }
  std::string operator()(const AttachSubject&) const { return "AttachSubject"; }
  std::string operator()(const Deliver&) const { return "Deliver"; }
  std::string operator()(const Acknowledge&) const { return "Acknowledge"; }
  std::string operator()(const Refuse&) const { return "Refuse"; }
  std::string operator()(const Release&) const { return "Release"; }
  std::string operator()(const Extend&) const { return "Extend"; }
  std::string operator()(const ReportOutcome&) const { return "ReportOutcome"; }
  std::string operator()(const RecordStatement&) const { return "RecordStatement"; }
  std::string operator()(const WithdrawStatement&) const { return "WithdrawStatement"; }
  std::string operator()(const CheckConsent&) const { return "CheckConsent"; }
  std::string operator()(const ListStatements&) const { return "ListStatements"; }
  std::string operator()(const AdmitOrganisation&) const { return "AdmitOrganisation"; }
  std::string operator()(const DisableOrganisation&) const { return "DisableOrganisation"; }
  std::string operator()(const RegisterKeySet&) const { return "RegisterKeySet"; }
  std::string operator()(const ActivatePolicy&) const { return "ActivatePolicy"; }
  std::string operator()(const RecordQuery& query) const { return query.rpc; }
  std::string operator()(const Remind&) const { return "Remind"; }
  template <typename T>
  std::string operator()(const T&) const {
    return "";
  }
};

Bytes SignalIdOf(const Request& request) {
  if (const auto* publish = std::get_if<PublishEnvelope>(&request)) {
    return publish->envelope->signal_id.str();
  }
  return {};
}

// INVARIANT I1: what the store could not read decides nothing.
bool IsFatal(const Error& error) {
  return error.code == ErrorCode::kDataLoss || error.code == ErrorCode::kInternal ||
         error.code == ErrorCode::kUnavailable;
}

// What rpc relied on must still hold at this position.
Status CheckCaller(const Context& ctx, const Caller& caller) {
  SCHAKEL_ASSIGN(auto entry, ctx.FindOrganisation(caller.organisation));
  if (entry && !entry->disabled() && entry->version() == caller.entry_version) return {};
  Error stale = MakeError(ErrorCode::kAborted, "STALE_VERSION",
                          "the directory entry changed meanwhile; try again");
  stale.retry_after_ms = 50;
  return stale;
}

}  // namespace

Result<std::optional<state::v1::Meta>> ReadMeta(const store::StateReader& state) {
  SCHAKEL_ASSIGN(auto raw, state.Get(Family::kHot, keys::Meta()));
  if (!raw) return std::optional<state::v1::Meta>();
  state::v1::Meta meta;
  if (!meta.ParseFromString(*raw)) {
    return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", "a stored value is no Meta");
  }
  return std::optional(std::move(meta));
}

Result<std::unique_ptr<Machine>> Machine::Load(const store::StateReader& state) {
  std::unique_ptr<Machine> machine(new Machine());
  SCHAKEL_ASSIGN(auto meta, ReadMeta(state));
  if (!meta) return machine;
  machine->meta_ = *std::move(meta);
  if (machine->meta_.machine_version() != kMachineVersion) {
    return MakeError(ErrorCode::kFailedPrecondition, "MACHINE_VERSION_UNKNOWN",
                     "the store was written by machine version " +
                         std::to_string(machine->meta_.machine_version()) + "; this broker has " +
                         std::to_string(kMachineVersion));
  }
  SCHAKEL_ASSIGN(machine->tree_, LogTree::Load(state, machine->meta_.tree_size()));
  return machine;
}

Result<Outcome> Machine::Apply(const store::StateReader& view, store::Batch* out,
                               const Command& command) {
  auto time_us = static_cast<uint64_t>(command.time.count());
  SCHAKEL_CHECK(time_us >= meta_.time_us(), "time never goes back");
  meta_.set_position(meta_.position() + 1);
  meta_.set_time_us(time_us);
  scratch_.Reset();
  Context ctx(view, out, &tree_, &parties_, &meta_, &facts_, &registry_, &scratch_, command);

  Result<Answer> answer = Answer(std::monostate{});
  Status caller = command.caller ? CheckCaller(ctx, *command.caller) : Status();
  if (!caller.ok()) {
    answer = caller.error();
  } else {
    answer = std::visit([&](const auto& request) { return machine::Apply(ctx, request); },
                        command.request);
  }

  Outcome outcome;
  outcome.position = meta_.position();
  if (!answer.ok()) {
    if (IsFatal(answer.error())) return answer.error();
    SCHAKEL_CHECK(!ctx.wrote(), "I1: a refused command has written");
    outcome.refused = answer.error();
    if (command.caller && answer.error().reason != "STALE_VERSION") {
      SCHAKEL_TRY(RecordDenied(ctx, command.caller->organisation.str(), answer.error().reason,
                               std::visit(RpcName{}, command.request),
                               SignalIdOf(command.request)));
    }
  } else {
    outcome.answer = *std::move(answer);
  }
  outcome.effects = std::move(ctx.effects());
  return outcome;
}

void Machine::FinishBatch(store::Batch* out) {
  out->Put(Family::kHot, keys::Meta(), meta_.SerializeAsString());
  if (tree_.size() > 0) tree_.WriteFrontier(out);
  parties_.Write(out);
}

}  // namespace schakel::machine
