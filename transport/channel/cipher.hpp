// ChaCha20-Poly1305 with the nonce inside. A nonce is never given, read, set or copied, so that no caller can
// use one twice: each seal() and each open() moves on to the next.
#pragma once

#include <cstddef>
#include <cstdint>

#include "transport/channel/secret.hpp"

namespace satchel::channel {

inline constexpr std::size_t kTagSize = 16;  // what seal() adds

// Noise's CipherState. Move-only; one that was moved from, or that failed to open something, is spent: it
// has no key any more, opens nothing, and to seal with it is a bug.
class CipherKey {
  public:
    explicit CipherKey(Secret<32> key) : key_(std::move(key)) {}
    CipherKey(CipherKey&& other) noexcept;
    CipherKey& operator=(CipherKey&& other) noexcept;
    ~CipherKey() = default;
    void seal(ByteView associated, ByteView plain, ByteBuffer& out);                 // appends
    [[nodiscard]] bool open(ByteView associated, ByteView sealed, ByteBuffer& out);  // appends, if true
    void rekey();  // Noise's REKEY: a one-way step of the key; the nonce goes on
    [[nodiscard]] bool is_spent() const { return spent_; }

  private:
    void spend();

    Secret<32> key_;
    std::uint64_t nonce_ = 0;
    bool spent_ = false;
};

// The two directions of a finished handshake: what seals cannot open, and the other way round.
class Sealer {
  public:
    explicit Sealer(CipherKey key) : key_(std::move(key)) {}
    void seal(ByteView plain, ByteBuffer& out) { key_.seal({}, plain, out); }
    void rekey() { key_.rekey(); }

  private:
    CipherKey key_;
};

class Opener {
  public:
    explicit Opener(CipherKey key) : key_(std::move(key)) {}
    [[nodiscard]] bool open(ByteView sealed, ByteBuffer& out) { return key_.open({}, sealed, out); }
    void rekey() { key_.rekey(); }

  private:
    CipherKey key_;
};

}  // namespace satchel::channel
