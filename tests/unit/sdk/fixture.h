// A small region for tests of the SDK: organisations with certificates, key stores and directory
// entries, the reference bundle, and a hand-over of what a broker would deliver.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "clients/sdk/bundle_source.h"
#include "clients/sdk/composer.h"
#include "clients/sdk/directory.h"
#include "clients/sdk/key_store.h"
#include "schakel/v1/inbox.pb.h"
#include "tests/unit/crypto/dev_pki.h"

namespace schakel::sdk {

inline OrganisationId Oin(const std::string& text) { return *OrganisationId::From(text); }

// As in the reference bundle's tests.
inline const OrganisationId kPolice = Oin("00000099000000001001");
inline const OrganisationId kCentre = Oin("00000099000000002001");  // domestic-violence-centre
inline const OrganisationId kTeam = Oin("00000099000000002002");    // neighbourhood-team@dordrecht
inline const OrganisationId kLandlord = Oin("00000099000000001000");
inline const OrganisationId kDebtRelief = Oin("00000099000000002000");
inline const OrganisationId kAccess = Oin("00000099000000002003");  // central-access

// The reference bundle as it is activated, with a made-up key document for epoch 1.
std::shared_ptr<const LoadedBundle> Reference();

// A linked subject that stands for `name`.
v1::SubjectRef Linked(const std::string& name);

crypto::SecretBytes Secret(const std::string& text);

DraftSection SectionOf(const std::string& category, const std::string& content,
                       std::vector<uint16_t> subjects = {},
                       const std::string& ground = "wmo-veilig-thuis");

// Police reports on two persons to the centre, which may read everything, and to the team, which
// may read `social` about subject 1 and the identity of that subject only.
SignalDraft ViolenceReport();
// A landlord on an unlinked tenant to debt relief.
SignalDraft Arrears();

// Entries and key sets in memory; key sets count as verified.
class FakeDirectory final : public Directory {
 public:
  Result<Member> Get(const OrganisationId& oin) override;
  Result<VerifiedKeySet> KeySetAt(const OrganisationId& oin, const Digest& digest,
                                  Millis created) override;

  std::map<OrganisationId, Member> members;
  std::vector<VerifiedKeySet> key_sets;
  std::optional<Error> down;  // every call fails with it
};

class FakeBundles final : public BundleSource {
 public:
  Result<std::shared_ptr<const LoadedBundle>> Active() override { return Reference(); }
  Result<std::shared_ptr<const LoadedBundle>> ByDigest(const Digest& digest) override;
  std::optional<Error> down;
};

// What a broker would hand to `reader`: of every section with a wrap for it that one wrap, nothing
// else.
v1::DeliveredSignal DeliverTo(const OrganisationId& reader, const Bytes& envelope);

class Region {
 public:
  Region();

  // Certificate, key store with one registered key set, directory entry.
  void Admit(const OrganisationId& oin, const std::string& sector, std::vector<std::string> areas,
             bool bsn_authority);
  KeyStore& KeysOf(const OrganisationId& oin) { return *stores_.at(oin); }
  OwnKeySet Current(const OrganisationId& oin) { return KeysOf(oin).Current(now).value(); }
  // The next key set of an organisation, registered; it becomes the directory's current one.
  OwnKeySet Rotate(const OrganisationId& oin);
  Composer NewComposer(const OrganisationId& sender, WrapChoice choice = WrapChoice::kByRules);
  std::filesystem::path path() const { return folder_.path(); }

  Millis now;
  crypto::DevPki pki;
  FakeDirectory directory;
  FakeBundles bundles;

 private:
  crypto::TempFolder folder_;
  std::map<OrganisationId, std::unique_ptr<KeyStore>> stores_;
};

}  // namespace schakel::sdk
