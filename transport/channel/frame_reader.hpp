// Cuts a stream of bytes into pieces: one of a fixed size, or a u16 length and so many bytes. It never holds
// more than the piece that is expected, and refuses a length as soon as it is read.
#pragma once

#include "engine/base/bytes.hpp"
#include "engine/base/result.hpp"

namespace satchel::channel {

class FrameReader {
  public:
    struct Sizes {
        std::size_t min = 0;
        std::size_t max = 0;
    };
    void expect_fixed(std::size_t size);
    void expect_frame(Sizes sizes);

    // How many of the bytes were taken; stops behind a whole piece.
    Result<std::size_t> take(ByteView bytes);
    [[nodiscard]] bool is_whole() const { return has_length_ && held_.size() == want_; }
    [[nodiscard]] ByteView piece() const { return held_; }  // when whole, until the next expect_...()
    [[nodiscard]] std::size_t held_bytes() const { return held_.capacity(); }
    void drop();  // gives the memory back

  private:
    Result<void> read_length();

    ByteBuffer held_;
    Sizes sizes_;
    std::size_t want_ = 0;
    bool has_length_ = false;
};

}  // namespace satchel::channel
