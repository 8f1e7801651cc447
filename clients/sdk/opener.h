// Opening what was delivered. Nothing is shown before every check holds; towards the peer there is
// one error. proto/ENVELOPE.md, Order of checks on opening.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/ids.h"
#include "broker/base/result.h"
#include "broker/crypto/padding.h"
#include "clients/sdk/bundle_source.h"
#include "clients/sdk/directory.h"
#include "clients/sdk/key_store.h"
#include "clients/sdk/seen_signals.h"
#include "schakel/v1/envelope.pb.h"
#include "schakel/v1/inbox.pb.h"

namespace schakel::sdk {

struct OpenedSection {
  SectionId sid;
  v1::SectionMeta meta;
  crypto::SectionContent content;
};

struct OpenedSignal {
  v1::Header header;
  SignalId id;
  OrganisationId sender;
  Digest envelope_digest;
  bool redelivery = false;  // the same was opened before
  std::vector<OpenedSection> sections;
};

// For the reader's own log: at which of the ten steps it stopped, and why. No content, no BSN.
struct OpenDiagnosis {
  int step = 0;
  std::string why;
};

// The reader.
struct Reader {
  OrganisationId oin;
  std::string region;
  bool bsn_authority = false;
};

// Recomputes a pseudonym: PseudonymClient::ComputeOne. The view points into secret memory.
using ComputePseudonym = std::function<Result<v1::SubjectRef>(std::string_view bsn)>;

// Not thread-safe. References live as long as the object.
class Opener {
 public:
  // REQUIRES: compute is set when reader.bsn_authority
  Opener(Reader reader, const KeyStore& keys, Directory& directory, BundleSource& bundles,
         SeenSignals& seen, ComputePseudonym compute);

  // `delivered`: when the broker handed it over; a signal that had expired by then is refused.
  // Errors: INVALID_ARGUMENT OPEN_FAILED, the same for every false or damaged delivery;
  // SUBJECT_MISMATCH when content and subject do not belong together (Refuse it with that code);
  // and whatever directory, bundle source, custodians or disk fail with: then it may be tried
  // again. `diagnosis` may be null.
  Result<OpenedSignal> Open(const v1::DeliveredSignal& delivered_signal, Millis delivered,
                            OpenDiagnosis* diagnosis = nullptr);

 private:
  struct Work;
  using Step = Status (Opener::*)(Work&);
  Status CheckShape(Work& work);
  Status CheckRegionAndOnce(Work& work);
  Status CheckKeySet(Work& work);
  Status CheckSignature(Work& work);
  Status OpenSections(Work& work);
  Status CheckSchemas(Work& work);
  Status CheckSubjects(Work& work);

  Reader reader_;
  const KeyStore& keys_;
  Directory& directory_;
  BundleSource& bundles_;
  SeenSignals& seen_;
  ComputePseudonym compute_;
};

// The digits of the one "bsn" in the content of an identity-bsn section, read without a copy.
// nullopt unless there is exactly one, written plainly.
std::optional<std::string_view> BsnOf(std::string_view secret_json);

}  // namespace schakel::sdk
