// OpenSSH's private key files: any text is refused or gives a key that signs for the public key in it.
#include <cstdlib>

#include "engine/trust/ssh.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace satchel;
    const Result<trust::SigningKey> key = trust::parse_ssh_private_file(text_of({data, size}));
    if (!key.has_value()) return 0;
    const ByteView message = bytes_of("message");
    if (!trust::verify_plain(key->public_key(), message, key->sign_plain(message))) std::abort();
    return 0;
}
