internal import Fuzzing
internal import Glibc

/// libFuzzer's own loop: its `main` cannot be used, since the package manager gives every program one of its own name.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// Chosen once by the first argument, before anything runs.
// `nonisolated(unsafe)`: libFuzzer calls from C, on one thread, and gives no place to keep it.
nonisolated(unsafe) private var target = FuzzTarget.grammar

@_cdecl("fuzz_main")
public func fuzzMain(
    _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> CInt {
    guard count > 1, let name = arguments[1], let chosen = FuzzTarget(rawValue: String(cString: name)) else {
        print(FuzzTarget.allCases.map(\.rawValue).joined(separator: "\n"))
        return 64
    }
    target = chosen
    // The name of the target is none of libFuzzer's business.
    arguments[1] = arguments[0]
    var rest = arguments + 1
    var left = count - 1
    return runDriver(&left, &rest, fuzzOne)
}

/// What libFuzzer calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    do {
        try target.run(input)
    } catch {
        print("\(target): \(error)")
        fflush(nil)
        // This is how libFuzzer is told of a finding.
        abort()
    }
    return 0
}
