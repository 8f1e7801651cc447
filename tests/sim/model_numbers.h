// Numbers of the messages and of time that the model counts by.
#pragma once

#include <cstdint>

namespace schakel::sim {

// Numbers of record.proto and signal.proto that the model counts and tells.
enum ModelKind {
  kPublish = 2,
  kDelivery = 3,
  kCancelled = 4,
  kAcknowledgement = 5,
  kRefusal = 6,
  kExpiry = 7,
  kStatement = 8,
  kWithdrawal = 9,
  kDirectory = 10,
  kActivation = 12,
  kNotice = 15,
  kDeniedAttempt = 18,
  kRelease = 20,
  kExtension = 21,
  kWithheldKind = 22,
  kReminder = 26,
  kOutcomeReport = 27,
};
enum ModelTold {
  kToldDenied = 1,
  kToldQueued = 2,
  kToldDelivered = 3,
  kToldAcknowledged = 4,
  kToldRefused = 5,
  kToldExpired = 6,
  kToldWithheld = 7,
  kToldDeadLetter = 8,
  kToldReported = 100,  // and the place of the code among kOutcomes
};

// What is reported in a simulation; the bundle has the last for no type of the simulation's.
inline constexpr const char* kOutcomes[] = {"taken-up", "help-offered", "already-known",
                                            "test-received"};

inline constexpr uint64_t kMinuteUs = 60'000'000;
inline constexpr uint64_t kDayUs = 24 * 60 * kMinuteUs;

}  // namespace schakel::sim
