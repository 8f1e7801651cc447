// Start of the libraries.
#pragma once

namespace schakel::crypto {

// A program that links this module leaves OpenSSL as it is when it ends: its threads may still use it.
//
// Initialises libsodium and fetches what is used of OpenSSL once. Idempotent and thread-safe; every
// function of this module that needs it calls it itself, so that programs need not.
// A library that can't start is a broken invariant: the process stops.
void InitCrypto();

}  // namespace schakel::crypto
