// Tables of bad requests: each row is a valid request with one thing wrong, and says what is
// answered.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/base/bytes.h"
#include "tests/e2e/bad_input/fields.h"

namespace schakel::e2e {

// What a row's answer says.
struct Refusal {
  std::string reason;
  grpc::StatusCode code = grpc::StatusCode::INVALID_ARGUMENT;
  std::optional<std::string> field;  // unset: the row's own, as errors write it
  bool retry = false;                // with RetryInfo
  bool recorded = false;             // the log keeps it as a denied attempt

  Refusal At(std::string other) const;
  Refusal WithoutField() const { return At(""); }
  Refusal Code(grpc::StatusCode other) const;
  Refusal Retry() const;
  Refusal Recorded() const;
};
Refusal Refused(std::string reason);
inline Refusal FieldMissing() { return Refused("FIELD_MISSING"); }
inline Refusal FieldInvalid() { return Refused("FIELD_INVALID"); }
inline Refusal TooLarge() { return Refused("TOO_LARGE"); }
// Refused by the machine, so the attempt stands in the log.
inline Refusal ByMachine(const std::string& reason) { return Refused(reason).Recorded(); }

struct Row {
  std::string what;             // in words
  std::string path;             // the field that it is about
  std::vector<Bytes> messages;  // one, but for streams
  Refusal refusal;              // its field is set
};

// A field that no value of makes a request bad.
struct FreeField {
  std::string path;
  std::string why;
};

// The rows of one RPC, sent by one participant.
class RpcTable {
 public:
  using Finish = std::function<void(Message&)>;
  // `method` as descriptors name it. `finish` makes a changed request whole again, such as its
  // signature.
  RpcTable(std::string method, std::string as, const Message& valid, Finish finish = {});

  // From here on rows come from another valid message, sent after these.
  void Base(const Message& valid, std::vector<Bytes> before);

  void Bad(const std::string& path, const std::string& what, const FieldChange& change,
           const Refusal& refusal);
  // Without `finish`.
  void BadRaw(const std::string& path, const std::string& what, const FieldChange& change,
              const Refusal& refusal);
  // Any change of the whole request; `path` is the field that it is about.
  template <typename Request>
  void BadIf(const std::string& path, const std::string& what,
             const std::function<void(Request&)>& change, const Refusal& refusal,
             bool finish = true) {
    auto request = Copy();
    change(static_cast<Request&>(*request));
    AddRow(path, what, std::move(request), refusal, finish);
  }
  // One of another table's, made into one of this.
  void Add(Row row) { rows_.push_back(std::move(row)); }
  void Free(const std::string& path, const std::string& why);
  // The valid call does not end by itself.
  void Endless() { endless_ = true; }
  // What a whole request is about is not there: it is refused for that alone.
  void OfNothing(Refusal refusal) { of_nothing_ = std::move(refusal); }

  // ---- What many fields share ----
  // Exactly `size` bytes; optional ones may be missing.
  void Sized(const std::string& path, size_t size, bool required = true);
  void Text(const std::string& path, size_t max, bool required);
  void CodeOf(const std::string& path, bool required = true);
  void Oin(const std::string& path);
  void EnumOf(const std::string& path);
  // `recorded`: whether an unlinked one is a denied attempt, where only linked ones will do.
  void Reference(const std::string& path, bool linked_only, bool recorded = true);
  void Lease(const std::string& path);
  void Moment(const std::string& path);
  void Page();

  const std::string& method() const { return method_; }
  const std::string& as() const { return as_; }
  const std::vector<Row>& rows() const { return rows_; }
  const std::vector<FreeField>& free_fields() const { return free_; }
  // Each is sent at the end, and passes, unless it is of_nothing().
  const std::vector<std::vector<Bytes>>& valid() const { return valid_; }
  bool endless() const { return endless_; }
  const std::optional<Refusal>& of_nothing() const { return of_nothing_; }
  const google::protobuf::Descriptor* request() const { return base_->GetDescriptor(); }

 private:
  std::unique_ptr<Message> Copy() const;
  void AddRow(const std::string& path, const std::string& what, std::unique_ptr<Message> request,
              const Refusal& refusal, bool finish);

  std::string method_;
  std::string as_;
  Finish finish_;
  std::shared_ptr<const Message> base_;
  std::vector<Bytes> before_;
  std::vector<std::vector<Bytes>> valid_;
  std::vector<Row> rows_;
  std::vector<FreeField> free_;
  bool endless_ = false;
  std::optional<Refusal> of_nothing_;
};

// Fields of the RPC's request that have neither a row nor a word in the list of free ones, and
// those that the table names although they do not exist; empty when it is complete.
std::vector<std::string> FieldsLeftOut(const RpcTable& table);

}  // namespace schakel::e2e
