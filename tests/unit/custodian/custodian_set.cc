#include "tests/unit/custodian/custodian_set.h"

#include "broker/base/check.h"
#include "broker/custodian/keygen.h"
#include "broker/custodian/log_key.h"
#include "broker/custodian/startup.h"
#include "tests/support/child_process.h"

namespace schakel::custodian {

CustodianSet::CustodianSet(uint32_t threshold) {
  // Tests move the clock by weeks.
  pki_.WriteCrl(std::chrono::seconds(-60), std::chrono::hours(24 * 60));
  KeygenOptions options{"zhz.example", 1, threshold, {}, keys()};
  for (size_t i = 0; i < 3; ++i) {
    certificates_.push_back(
        pki_.Issue({.oin = CustodianOin(i), .until = std::chrono::hours(24 * 60)}));
    options.custodians.push_back(
        {CustodianOin(i), certificates_[i].certificate, certificates_[i].key});
  }
  const auto digest = Keygen(options);
  SCHAKEL_CHECK(digest.ok(), "the dealer deals");
  digest_ = *digest;
  for (size_t i = 0; i < 3; ++i) {
    SCHAKEL_CHECK(WriteNewLogKey(log_key_file(i)).ok(), "a log key is made");
  }
  WriteMembers({});
}

std::string CustodianSet::Begin(size_t i) const {
  const Settings settings = SettingsOf(i);
  std::vector<Error> problems;
  const auto materials = LoadMaterials(settings, SystemClock(), nullptr, &problems);
  SCHAKEL_CHECK(materials.has_value(), "the test's files are right");
  auto store = OpenStore(settings, true);
  SCHAKEL_CHECK(store.ok(), "the store opens");
  store::FileHeadStore heads(settings.head_file);
  const auto key =
      InitialiseLog(store->get(), &heads, *materials, materials->holder->x(), SystemClock().Wall());
  SCHAKEL_CHECK(key.ok(), "the log begins");
  return *key;
}

SignedDocument CustodianSet::Signed() const {
  const auto anchors = crypto::TrustAnchors::Parse(pki_.ca_pem());
  SCHAKEL_CHECK(anchors.ok(), "the test's authority is one");
  auto loaded =
      LoadSignedDocument(document(), &*anchors, std::chrono::floor<Millis>(SystemClock().Wall()));
  SCHAKEL_CHECK(loaded.ok(), "the dealt document verifies");
  return std::move(loaded).value();
}

void CustodianSet::WriteMembers(const std::vector<MemberEntry>& members) const {
  std::string text = members.empty() ? "{}\n" : "members:\n";
  for (const MemberEntry& member : members) {
    text += "  - oin: \"" + member.oin + "\"\n";
    text += "    certificate_spki_digest: " + SpkiHex(member.certificate) + "\n";
    text += "    authority: Wet algemene bepalingen burgerservicenummer art. 10\n";
    text += "    per_day: " + std::to_string(member.per_day) + "\n";
    text += "    per_30_days: " + std::to_string(member.per_30_days) + "\n";
    text += std::string("    disabled: ") + (member.disabled ? "true" : "false") + "\n";
    if (!member.role.empty()) text += "    role: " + member.role + "\n";
  }
  testing::WriteFile(this->members(), text);
}

std::filesystem::path CustodianSet::WriteConfig(size_t i, const std::string& more) const {
  const auto path = folder_ / ("custodian-" + std::to_string(i) + ".yaml");
  testing::WriteFile(path, "data_folder: " + data(i).string() +
                               "\n"
                               "share_file: " +
                               share(i).string() +
                               "\n"
                               "key_document_file: " +
                               document().string() +
                               "\n"
                               "members_file: members.yaml\n"
                               "listen:\n"
                               "  address: 127.0.0.1:0\n"
                               "  port_file: " +
                               port_file(i).string() +
                               "\n"
                               "tls:\n"
                               "  certificate_file: " +
                               certificates_[i].certificate.string() +
                               "\n"
                               "  key_file: " +
                               certificates_[i].key.string() +
                               "\n"
                               "  ca_file: " +
                               pki_.ca().string() +
                               "\n"
                               "  crl_path: " +
                               pki_.crl().string() + "\nhead_file: " + head(i).string() +
                               "\nlog_key_file: " + log_key_file(i).string() + "\n" + more);
  return path;
}

Settings CustodianSet::SettingsOf(size_t i, const std::string& more) const {
  std::vector<Error> problems;
  auto settings = LoadSettings(WriteConfig(i, more), &problems);
  SCHAKEL_CHECK(settings.has_value(), "the test's configuration is right");
  return *settings;
}

std::string SpkiHex(const std::filesystem::path& certificate) {
  const auto made = testing::RunProgram(
      {.program = "sh",
       .args = {"-c",
                "openssl x509 -in \"$0\" -noout -pubkey | openssl pkey -pubin -outform DER | "
                "openssl dgst -sha256 -r | cut -d' ' -f1",
                certificate.string()}});
  SCHAKEL_CHECK(made.code == 0 && made.out.size() == 65, "openssl gives the key's digest");
  return made.out.substr(0, 64);
}

}  // namespace schakel::custodian
