/// A 64-bit hash of a row's bytes, the same on every machine and in every run.
///
/// Two different rows with one hash merely count as repetitions of each other: their ordinals, and so their
/// derived keys, are still distinct and still follow from the manifest alone.
package enum RepetitionHash {
    @inline(__always) private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    /// The hash of some bytes.
    ///
    /// With another `seed` it is another hash, for tables whose keys strangers choose; 0 is the one that is the same
    /// everywhere.
    @inline(__always)
    package static func of(_ bytes: UnsafeRawPointer, _ count: Int, seed: UInt64 = 0) -> UInt64 {
        // Odd constants with about as many ones as zeros (the fractions of roots of 2, 3 and 5).
        let (a, b, c): (UInt64, UInt64, UInt64) = (0x6a09_e667_f3bc_c909, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b)
        @inline(__always) func word(_ at: Int) -> UInt64 { bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self) }
        var first = UInt64(truncatingIfNeeded: count) &* a ^ c ^ seed
        var second = b ^ seed
        if count < 16 {
            var low: UInt64 = 0
            var high: UInt64 = 0
            for at in 0..<count {
                let byte = UInt64(bytes.load(fromByteOffset: at, as: UInt8.self))
                if at < 8 { low |= byte &<< UInt64(at &* 8) } else { high |= byte &<< UInt64((at &- 8) &* 8) }
            }
            return fold(fold(low ^ a ^ first, high ^ second), c)
        }
        var at = 0
        while at &+ 32 <= count {
            first = fold(word(at) ^ a ^ first, word(at &+ 8) ^ b)
            second = fold(word(at &+ 16) ^ c ^ second, word(at &+ 24) ^ a)
            at &+= 32
        }
        if at &+ 16 <= count { first = fold(word(at) ^ b ^ first, word(at &+ 8) ^ c) }
        // The last sixteen, overlapping what was taken in.
        second = fold(word(count &- 16) ^ c ^ second, word(count &- 8) ^ b)
        return fold(first ^ a, second ^ b)
    }

    /// A hash of a short text, never 0; up to ``JSONScanner/slack`` bytes after it may be read.
    @inline(__always) static func ofText(_ bytes: UnsafeRawPointer, _ count: Int) -> UInt64 {
        guard count < 16 else { return max(of(bytes, count), 1) }
        var low = bytes.loadUnaligned(as: UInt64.self)
        var high: UInt64 = 0
        if count < 8 {
            low &= (1 &<< UInt64(count &* 8)) &- 1
        } else {
            high = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self) & ((1 &<< UInt64((count &- 8) &* 8)) &- 1)
        }
        let (a, b, c): (UInt64, UInt64, UInt64) = (0x6a09_e667_f3bc_c909, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b)
        return max(fold(fold(low ^ a ^ UInt64(truncatingIfNeeded: count) &* c, high ^ b), c), 1)
    }
}
