#include "clients/sdk/pseudonym_client.h"

#include <algorithm>
#include <future>
#include <map>
#include <mutex>
#include <string>

#include "broker/crypto/oprf.h"
#include "broker/crypto/random.h"
#include "clients/sdk/files.h"

namespace schakel::sdk {
namespace {

Error NameCustodian(Error error, const OrganisationId& oin) {
  error.message = "custodian " + oin.str() + ": " + error.message;
  return error;
}

Error WrongAnswer(const std::string& why) {
  return MakeError(ErrorCode::kDataLoss, "CUSTODIAN_ANSWER_INVALID", why);
}

// What a custodian's answer must be before it counts: of the right share, well formed and proved.
Result<crypto::CustodianAnswer> CheckAnswer(const v1::EvaluateResponse& response,
                                            const crypto::PseudonymRequest& request,
                                            const crypto::Custodian& custodian) {
  if (response.share() != custodian.x) return WrongAnswer("it answered with another share");
  std::vector<crypto::Point> points;
  crypto::CustodianAnswer answer{custodian.oin, {}, response.proof()};
  for (const auto& element : response.evaluated_elements()) {
    const auto point = crypto::Point::Decode(element);
    if (!point) return WrongAnswer("an element of its answer is no group element");
    points.push_back(*point);
    answer.elements.push_back(element);
  }
  const auto proof = crypto::OprfProof::Decode(response.proof());
  if (!proof ||
      !crypto::VerifyProof(custodian.public_share, request.blinded_elements(), points, *proof)) {
    return WrongAnswer("its proof does not hold: it did not use the share of the key document");
  }
  return answer;
}

v1::EvaluateRequest RequestOf(const crypto::PseudonymRequest& request, uint32_t epoch) {
  v1::EvaluateRequest message;
  message.set_epoch(epoch);
  for (const auto& point : request.blinded_elements()) message.add_blinded_elements(point.str());
  return message;
}

}  // namespace

struct PseudonymClient::State {
  struct Endpoint {
    OrganisationId oin;
    std::shared_ptr<Connection> connection;
    std::unique_ptr<v1::CustodianService::Stub> stub;

    // A call whose server must be this custodian, by its certificate.
    template <typename Request, typename Response>
    Result<Response> Call(grpc::Status (v1::CustodianService::Stub::*method)(grpc::ClientContext*,
                                                                             const Request&,
                                                                             Response*),
                          const Request& request) const {
      Response response;
      std::optional<Error> wrong_peer;
      const auto status = connection->Run([&](grpc::ClientContext& context) {
        response.Clear();
        wrong_peer.reset();
        const auto done = ((*stub).*method)(&context, request, &response);
        if (!done.ok()) return done;
        const auto peer = connection->PeerOf(context);
        if (!peer.ok()) {
          wrong_peer = peer.error();
        } else if (*peer != oin) {
          wrong_peer = WrongAnswer("the server's certificate names " + peer->str());
        }
        return done;
      });
      if (!status.ok()) return status.error();
      if (wrong_peer) return *wrong_peer;
      return response;
    }
  };

  std::vector<Endpoint> endpoints;
  std::vector<PinnedKeyDocument> pins;
  std::string region;
  const crypto::TrustAnchors* anchors = nullptr;
  std::mutex mutex;  // guards documents
  std::map<uint32_t, std::shared_ptr<const crypto::KeyDocument>> documents;

  Result<std::shared_ptr<const crypto::KeyDocument>> Check(
      const v1::GetKeyDocumentResponse& response, const PinnedKeyDocument& pin) const {
    SCHAKEL_ASSIGN(auto document, crypto::KeyDocument::Parse(response.key_document()));
    if (document.digest() != pin.digest) {
      return MakeError(ErrorCode::kFailedPrecondition, "KEY_DOCUMENT_MISMATCH",
                       "its key document is not the pinned one");
    }
    if (document.epoch() != pin.epoch || document.region() != region) {
      return MakeError(ErrorCode::kFailedPrecondition, "KEY_DOCUMENT_INVALID",
                       "the pinned key document is of another region or epoch");
    }
    std::vector<crypto::KeyDocumentSignature> signatures;
    for (const auto& signature : response.signatures()) {
      crypto::KeyDocumentSignature one{{}, signature.signature()};
      for (const auto& der : signature.certificate_chain()) {
        SCHAKEL_ASSIGN(auto certificate, crypto::Certificate::Parse(der));
        one.chain.push_back(std::move(certificate));
      }
      signatures.push_back(std::move(one));
    }
    SCHAKEL_TRY(crypto::VerifyKeyDocument(document, signatures, anchors, Now()));
    return std::make_shared<const crypto::KeyDocument>(std::move(document));
  }
};

Result<std::vector<PinnedKeyDocument>> AgreedKeyDocuments(
    std::span<const PinnedKeyDocument> context, std::span<const PinnedKeyDocument> bundle) {
  const auto sorted = [](std::span<const PinnedKeyDocument> pins) {
    std::vector<PinnedKeyDocument> copy(pins.begin(), pins.end());
    std::sort(copy.begin(), copy.end(),
              [](const auto& a, const auto& b) { return a.epoch < b.epoch; });
    return copy;
  };
  auto ours = sorted(context);
  auto theirs = sorted(bundle);
  if (ours.empty() && theirs.empty()) {
    return MakeError(ErrorCode::kFailedPrecondition, "KEY_DOCUMENT_MISSING",
                     "neither the context nor the policy bundle names a key document");
  }
  if (ours.empty()) return theirs;
  if (!theirs.empty() && ours != theirs) {
    return MakeError(ErrorCode::kFailedPrecondition, "KEY_DOCUMENT_MISMATCH",
                     "the context and the policy bundle name different key documents; ask the "
                     "custodians which one holds");
  }
  return ours;
}

PseudonymClient::PseudonymClient(std::vector<CustodianEndpoint> custodians,
                                 std::vector<PinnedKeyDocument> documents, std::string region,
                                 const crypto::TrustAnchors* anchors)
    : state_(std::make_unique<State>()) {
  for (auto& custodian : custodians) {
    auto stub = v1::CustodianService::NewStub(custodian.connection->channel());
    state_->endpoints.push_back(
        {std::move(custodian.oin), std::move(custodian.connection), std::move(stub)});
  }
  state_->pins = std::move(documents);
  std::sort(state_->pins.begin(), state_->pins.end(),
            [](const auto& a, const auto& b) { return a.epoch < b.epoch; });
  state_->region = std::move(region);
  state_->anchors = anchors;
}

PseudonymClient::~PseudonymClient() = default;

Result<std::shared_ptr<const crypto::KeyDocument>> PseudonymClient::Document(uint32_t epoch) {
  {
    const std::lock_guard guard(state_->mutex);
    if (const auto known = state_->documents.find(epoch); known != state_->documents.end()) {
      return known->second;
    }
  }
  const auto pin = std::find_if(state_->pins.begin(), state_->pins.end(),
                                [&](const auto& p) { return p.epoch == epoch; });
  if (pin == state_->pins.end()) {
    return MakeError(ErrorCode::kNotFound, "EPOCH_UNKNOWN",
                     "no key document is pinned for epoch " + std::to_string(epoch));
  }
  v1::GetKeyDocumentRequest request;
  request.set_epoch(epoch);
  Error last = MakeError(ErrorCode::kFailedPrecondition, "CONTEXT_INCOMPLETE",
                         "the context names no custodians", "custodians");
  for (const auto& endpoint : state_->endpoints) {
    const auto response = endpoint.Call(&v1::CustodianService::Stub::GetKeyDocument, request);
    if (!response.ok()) {
      last = NameCustodian(response.error(), endpoint.oin);
      continue;
    }
    const auto document = state_->Check(*response, *pin);
    if (!document.ok()) {
      last = NameCustodian(document.error(), endpoint.oin);
      continue;
    }
    const std::lock_guard guard(state_->mutex);
    state_->documents[epoch] = *document;
    return *document;
  }
  return last;
}

Result<std::vector<Digest>> PseudonymClient::Evaluate(const crypto::PseudonymRequest& request,
                                                      const crypto::KeyDocument& document) {
  const auto message = RequestOf(request, document.epoch());
  const auto ask = [&](const State::Endpoint& endpoint) -> Result<crypto::CustodianAnswer> {
    const auto* custodian = document.Find(endpoint.oin);
    if (custodian == nullptr) return WrongAnswer("it holds no share by the key document");
    SCHAKEL_ASSIGN(const auto response,
                   endpoint.Call(&v1::CustodianService::Stub::Evaluate, message));
    return CheckAnswer(response, request, *custodian);
  };
  std::vector<crypto::CustodianAnswer> good;
  std::string failures;
  Error last = MakeError(ErrorCode::kUnavailable, "CUSTODIANS_TOO_FEW", "");
  size_t next = 0;
  while (good.size() < document.threshold() && next < state_->endpoints.size()) {
    // As many at a time as are still needed, so that nobody's budget is spent for nothing.
    std::vector<std::pair<const State::Endpoint*, std::future<Result<crypto::CustodianAnswer>>>>
        asked;
    for (size_t i = good.size(); i < document.threshold() && next < state_->endpoints.size(); ++i) {
      const auto* endpoint = &state_->endpoints[next++];
      asked.emplace_back(endpoint, std::async(std::launch::async, ask, std::cref(*endpoint)));
    }
    for (auto& [endpoint, future] : asked) {
      auto answer = future.get();
      if (answer.ok()) {
        good.push_back(std::move(answer).value());
        continue;
      }
      last = NameCustodian(answer.error(), endpoint->oin);
      failures += (failures.empty() ? "" : "; ") + last.message;
    }
  }
  if (good.size() < document.threshold()) {
    last.message = std::to_string(document.threshold()) + " custodians are needed, " +
                   std::to_string(good.size()) + " answered rightly" +
                   (failures.empty() ? "" : ": " + failures);
    return last;
  }
  return request.Combine(document, good);
}

Result<std::vector<v1::SubjectRef>> PseudonymClient::Compute(
    std::span<const std::string_view> bsns) {
  SCHAKEL_ASSIGN(const auto request, crypto::PseudonymRequest::Begin(bsns));
  std::vector<v1::SubjectRef> subjects(bsns.size());
  if (state_->pins.empty()) {
    return MakeError(ErrorCode::kFailedPrecondition, "KEY_DOCUMENT_MISSING",
                     "no key document is pinned");
  }
  for (const auto& pin : state_->pins) {
    SCHAKEL_ASSIGN(const auto document, Document(pin.epoch));
    SCHAKEL_ASSIGN(const auto values, Evaluate(request, *document));
    for (size_t i = 0; i < values.size(); ++i) {
      auto* pair = subjects[i].add_pairs();
      pair->set_epoch(pin.epoch);
      pair->set_value(values[i].str());
    }
  }
  return subjects;
}

Result<v1::SubjectRef> PseudonymClient::ComputeOne(std::string_view bsn) {
  SCHAKEL_ASSIGN(auto subjects, Compute(std::span(&bsn, 1)));
  return std::move(subjects.front());
}

std::vector<CustodianBudget> PseudonymClient::Budgets() {
  std::vector<CustodianBudget> budgets;
  for (const auto& endpoint : state_->endpoints) {
    auto budget = endpoint.Call(&v1::CustodianService::Stub::GetBudget, v1::GetBudgetRequest());
    if (!budget.ok()) {
      budgets.push_back({endpoint.oin, NameCustodian(budget.error(), endpoint.oin)});
    } else {
      budgets.push_back({endpoint.oin, std::move(budget)});
    }
  }
  return budgets;
}

bool SameSubject(const v1::SubjectRef& a, const v1::SubjectRef& b) {
  const auto holds = [](const v1::SubjectRef& in, const v1::SubjectRefPair& wanted) {
    return std::any_of(in.pairs().begin(), in.pairs().end(), [&](const auto& pair) {
      return pair.epoch() == wanted.epoch() && pair.value() == wanted.value();
    });
  };
  return a.pairs_size() > 0 && a.pairs_size() == b.pairs_size() &&
         std::all_of(a.pairs().begin(), a.pairs().end(),
                     [&](const auto& pair) { return holds(b, pair); });
}

v1::SubjectRef UnlinkedSubject() {
  v1::SubjectRef subject;
  auto* pair = subject.add_pairs();
  pair->set_epoch(0);
  pair->set_value(crypto::RandomBytes(32));
  return subject;
}

bool IsUnlinked(const v1::SubjectRef& subject) {
  return subject.pairs_size() == 1 && subject.pairs(0).epoch() == 0;
}

}  // namespace schakel::sdk
