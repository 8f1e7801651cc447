// What the opener's steps share.
#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "clients/sdk/opener.h"

namespace schakel::sdk {

// One delivery on its way through the steps.
struct Opener::Work {
  const v1::DeliveredSignal& in;
  Millis delivered;
  OpenDiagnosis diagnosis;

  v1::Header header;
  std::optional<OrganisationId> sender;
  SignalId id;
  Digest header_digest;
  std::vector<v1::SectionMeta> metas;
  std::vector<Digest> values;
  Digest envelope_digest;
  bool redelivery = false;
  std::optional<VerifiedKeySet> sender_keys;
  std::vector<OwnKeySet> own_keys;  // of each section's wrap
  std::vector<OpenedSection> sections;
  std::shared_ptr<const LoadedBundle> bundle;

  // Notes step and reason, and gives the one outward error.
  Error Fail(int step, std::string why);
  // An error of directory, bundles or disk: one that says that the delivery is wrong is a failed
  // check, any other goes out as it is, so that the caller tries again.
  Error FailOrPass(int step, const Error& error);
};

// Step 1 for the two messages that travel as bytes. Empty when right, else what is wrong.
std::string WrongInHeader(const v1::Header& header);
std::string WrongInMeta(const v1::SectionMeta& meta);

}  // namespace schakel::sdk
