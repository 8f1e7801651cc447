#include "broker/custodian/materials.h"

#include <utility>

#include "broker/base/limits.h"
#include "broker/crypto/x509.h"
#include "broker/custodian/files.h"
#include "broker/custodian/log_key.h"
#include "broker/store/head_store.h"

namespace schakel::custodian {
namespace {

// Collects problems, each at the key of the configuration that names the file.
class Loader {
 public:
  Loader(const Settings& settings, Millis now, std::vector<Error>* problems)
      : settings_(settings), now_(now), problems_(problems) {}

  std::optional<crypto::TrustAnchors> Anchors() {
    auto anchors = transport::CheckTlsFiles(settings_.tls, crypto::ChainUse::kServer, now_);
    if (anchors.ok()) return std::move(anchors).value();
    // The field names the file; the key is the one that holds it.
    const std::string& path = anchors.error().field;
    std::string key = "tls.certificate_file";
    if (path == settings_.tls.key.string()) key = "tls.key_file";
    if (path == settings_.tls.ca.string()) key = "tls.ca_file";
    Report(key, anchors.error());
    return std::nullopt;
  }

  std::optional<OrganisationId> Own() {
    constexpr size_t kChainBytesMax =
        2 * limits::kCertificateChainMax * limits::kCertificateBytesMax;
    auto own = [&]() -> Result<OrganisationId> {
      SCHAKEL_ASSIGN(const Bytes pem, ReadFile(settings_.tls.certificate, kChainBytesMax));
      SCHAKEL_ASSIGN(const auto chain, crypto::Certificate::ParseChain(pem));
      return crypto::RequireOin(chain.front());
    }();
    return Take("tls.certificate_file", std::move(own));
  }

  template <typename T>
  std::optional<T> Take(const std::string& key, Result<T> result) {
    if (result.ok()) return std::move(result).value();
    Report(key, result.error());
    return std::nullopt;
  }

  void Report(const std::string& key, const Error& error) {
    std::string message = error.message;
    // Errors of files name them, errors of what they hold need not.
    if (!error.field.empty() && message.find(error.field) == std::string::npos) {
      message = error.field + ": " + message;
    }
    problems_->push_back(settings_.At(key, message));
  }

 private:
  const Settings& settings_;
  const Millis now_;
  std::vector<Error>* const problems_;
};

}  // namespace

std::optional<Materials> LoadMaterials(const Settings& settings, const Clock& clock,
                                       MembersFile::OnReload on_reload,
                                       std::vector<Error>* problems) {
  const size_t before = problems->size();
  const auto now = std::chrono::floor<Millis>(clock.Wall());
  Loader loader(settings, now, problems);

  const auto anchors = loader.Anchors();
  std::optional<OrganisationId> own;
  std::optional<SignedDocument> document;
  std::optional<std::unique_ptr<crypto::CrlStore>> crls;
  if (anchors) {
    own = loader.Own();
    document = loader.Take("key_document_file",
                           LoadSignedDocument(settings.key_document_file, &*anchors, now));
    crls = loader.Take(
        "tls.crl_path",
        crypto::CrlStore::Open(settings.crl_path, anchors->certificates(), limits::kCrlLookEvery));
  }
  auto share = loader.Take("share_file", LoadShareFile(settings.share_file));
  std::optional<KeyHolder> holder;
  if (own && document && share) {
    holder =
        loader.Take("share_file", KeyHolder::Create(std::move(*share), std::move(*document), *own));
  }
  auto log_key = loader.Take("log_key_file", LoadLogKey(settings.log_key_file));
  // INVARIANT I8: the head file lies outside the data folder.
  const auto placement =
      loader.Take("head_file", store::CheckPlacement(settings.head_file, settings.data_folder));
  std::vector<Error> member_problems;
  auto members = MembersFile::Open(settings.members_file, std::move(on_reload), &member_problems);
  for (const Error& problem : member_problems) {
    if (problem.reason == "CONFIG_INVALID") {
      problems->push_back(problem);
    } else {
      loader.Report("members_file", problem);
    }
  }
  if (problems->size() != before) return std::nullopt;
  return Materials{std::move(*own),     std::make_unique<KeyHolder>(std::move(*holder)),
                   std::move(*crls),    std::move(members),
                   std::move(*log_key), placement->same_file_system};
}

}  // namespace schakel::custodian
