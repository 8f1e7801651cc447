#include "broker/sequencer/startup.h"

#include <algorithm>

#include "broker/crypto/policy_format.h"
#include "broker/crypto/random.h"
#include "broker/machine/keys.h"
#include "broker/machine/machine.h"
#include "broker/merkle/checkpoint.h"
#include "broker/store/overlay_view.h"
#include "policy/engine/compile.h"

namespace schakel::sequencer {

namespace {

Result<std::shared_ptr<const policy::CompiledBundle>> CompileBytes(const Bytes& bundle) {
  SCHAKEL_ASSIGN(auto files, crypto::ParsePolicyBundle(bundle));
  policy::BundleFiles map;
  for (auto& file : files) map.emplace(std::move(file.path), std::move(file.content));
  return policy::CompileFiles(map);
}

// Applies one command with the broker stopped, and commits it.
Status ApplyAlone(store::Store* store, machine::Machine* machine, machine::Request request,
                  Micros time) {
  store::Batch batch;
  store::OverlayView view(store->durable(), {&batch});
  machine::Command command{std::move(request), std::nullopt, time, {}};
  crypto::RandomFill(command.entropy.bytes);
  SCHAKEL_ASSIGN(auto outcome, machine->Apply(view, &batch, command));
  if (outcome.refused) return *outcome.refused;
  machine->FinishBatch(&batch);
  return store->Commit(batch, machine->meta().position());
}

Micros TimeAfter(const Clock& clock, const machine::Machine& machine) {
  return std::max(clock.Wall(), Micros(machine.meta().time_us()));
}

// Head first, then the signature over it.
Status WriteHeadAndCheckpoint(store::Store* store, store::HeadStore* heads,
                              const crypto::SigningKey& log_key, const machine::Machine& machine,
                              const std::optional<store::Head>& expected) {
  auto tree = machine.TreeHead();
  store::Head head{machine.meta().origin(), tree.size, tree.root, machine.meta().position()};
  SCHAKEL_TRY(heads->CompareAndSwap(expected, head));
  SCHAKEL_ASSIGN(auto note, merkle::SignCheckpoint({head.origin, tree}, log_key));
  store::Batch batch;
  batch.Put(store::Family::kLocal, machine::keys::Checkpoint(), note);
  return store->CommitLocal(batch);
}

Result<std::string> LogKeyText(const std::string& origin, const crypto::SigningKey& log_key) {
  SCHAKEL_ASSIGN(auto key, merkle::VerifierKey::Create(origin, log_key.public_key()));
  return key.Encode();
}

}  // namespace

std::optional<std::string> RegionOfOrigin(const std::string& origin) {
  constexpr std::string_view kMiddle = "/schakel/";
  auto at = origin.find(kMiddle);
  if (at == std::string::npos || at == 0) return std::nullopt;
  std::string number = origin.substr(at + kMiddle.size());
  bool digits = !number.empty() && number.size() <= 9 && number[0] != '0' &&
                std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
  std::string region = origin.substr(0, at);
  bool domain = region.size() <= 64 && std::all_of(region.begin(), region.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  });
  if (!digits || !domain) return std::nullopt;
  return region;
}

Result<Judgement> Judge(const store::Store& store, const store::HeadStore& heads) {
  return audit::Judge(store, heads, "schakel-broker");
}

Status InitialiseLog(store::Store* store, store::HeadStore* heads, const crypto::SigningKey& log_key,
                     const Clock& clock, const InitOptions& options) {
  SCHAKEL_ASSIGN(auto head, heads->Read());
  if (head || store->position() != 0) {
    return MakeError(ErrorCode::kFailedPrecondition, "LOG_EXISTS",
                     head ? "the head file exists already" : "the data folder holds a log already");
  }
  SCHAKEL_ASSIGN(auto compiled, CompileBytes(options.bundle));
  if (compiled->region() != options.region) {
    return InvalidArgument("REGION_WRONG", "policy",
                           "the bundle is for region '" + compiled->region() + "', the origin for '" +
                               options.region + "'");
  }
  SCHAKEL_ASSIGN(auto key_text, LogKeyText(options.origin, log_key));
  SCHAKEL_ASSIGN(auto machine, machine::Machine::Load(store->durable()));
  machine::Genesis genesis{options.origin,
                           options.region,
                           key_text,
                           options.registrar,
                           options.bundle,
                           crypto::PolicyDigest(options.bundle),
                           compiled};
  SCHAKEL_TRY(ApplyAlone(store, machine.get(), std::move(genesis), clock.Wall()));
  return WriteHeadAndCheckpoint(store, heads, log_key, *machine, std::nullopt);
}

Status RecoverLog(store::Store* store, store::HeadStore* heads, const crypto::SigningKey& log_key,
                  const Clock& clock, uint64_t incarnation) {
  SCHAKEL_ASSIGN(auto machine, machine::Machine::Load(store->durable()));
  if (machine->meta().position() == 0) {
    return MakeError(ErrorCode::kFailedPrecondition, "LOG_MISSING",
                     "the data folder holds no log; run schakel-broker init");
  }
  std::string origin = machine->meta().region() + "/schakel/" + std::to_string(incarnation);
  SCHAKEL_ASSIGN(auto head, heads->Read());
  if (!RegionOfOrigin(origin) || origin == machine->meta().origin() ||
      (head && head->origin == origin)) {
    return MakeError(ErrorCode::kFailedPrecondition, "INCARNATION_USED",
                     "a number that this log never had expected; it is now " +
                         machine->meta().origin());
  }
  machine::Recover recover;
  recover.origin = origin;
  SCHAKEL_ASSIGN(recover.log_key, LogKeyText(origin, log_key));
  if (head) {
    recover.head_size = head->size;
    recover.head_root = head->root;
  }
  SCHAKEL_TRY(ApplyAlone(store, machine.get(), std::move(recover), TimeAfter(clock, *machine)));
  return WriteHeadAndCheckpoint(store, heads, log_key, *machine, head);
}

Status AcceptTime(store::Store* store, Micros time) {
  SCHAKEL_ASSIGN(auto machine, machine::Machine::Load(store->durable()));
  if (machine->meta().position() == 0) {
    return MakeError(ErrorCode::kFailedPrecondition, "LOG_MISSING",
                     "the data folder holds no log; run schakel-broker init");
  }
  if (time < Micros(machine->meta().time_us())) {
    return InvalidArgument("FIELD_INVALID", "T",
                           "lies before the log's last command; time never goes back");
  }
  return ApplyAlone(store, machine.get(), machine::AcceptTime{}, time);
}

}  // namespace schakel::sequencer
