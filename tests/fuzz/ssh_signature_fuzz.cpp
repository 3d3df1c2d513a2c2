// SSHSIG armors and public key lines: any text is refused or is the one form of a signature that holds.
#include <cstdlib>

#include "engine/trust/ssh.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace satchel;
    const std::string_view text = text_of({data, size});
    const ByteView message = bytes_of("message");
    const Result<trust::PublicKey> signer = trust::ssh_verify(text, "satchel-fuzz", message);
    if (signer.has_value()) {
        std::array<std::uint8_t, 32> seed{};
        seed.fill(1);
        // The only key whose signatures the seeds hold; nobody finds one of another key by chance.
        if (trust::ssh_sign(trust::SigningKey::from_seed(seed), "satchel-fuzz", message) != text)
            std::abort();
    }
    const Result<trust::PublicKey> key = trust::parse_ssh_public_line(text);
    if (key.has_value() && !trust::is_acceptable(*key)) std::abort();
    return 0;
}
