/// What may go wrong on purpose, and when.
public struct Faults: Sendable {
    /// A way in which a request goes wrong.
    public enum Kind: String, Sendable, CaseIterable {
        /// HTTP 429 with the gateway's message.
        case tooManyRequests = "429"
        case internalError = "500"
        /// A proxy's HTML page.
        case badGateway = "502"
        /// The mesh's "upstream connect error".
        case unavailable = "503"
        case unknownError = "520"
        case tooLarge = "413"
        /// The connection is reset, and nothing was done.
        case reset
        /// The request was carried out, then the connection is reset.
        case lost
        /// The request was carried out, then a 502 answers it.
        case lostBadGateway = "lost-502"
        /// The request was carried out, and half of its JSON answer comes.
        case truncated
        /// HTTP 200 with a page that is no JSON.
        case html
        /// INTERNAL_SERVER_ERROR with the exception status 502, in a 200.
        case graphQL502 = "graphql-502"
        /// INTERNAL_SERVER_ERROR with the exception status 426: the plan is used up.
        case quota = "426"
        case unauthorized = "401"
        /// "Query complexity limit exceeded".
        case complexity
        /// An import in the older form is not accepted, in an answer without an error.
        case notAccepted = "not-accepted"
        /// The answer comes late.
        case slow

        /// Whether the request takes effect all the same.
        var isCarriedOut: Bool {
            switch self {
            case .lost, .lostBadGateway, .truncated, .slow: true
            default: false
            }
        }
    }

    /// Faults by rate, for some operations or all, for a while or for good.
    public struct Rule: Sendable {
        /// How likely each kind is, from 0 to 1; together at most 1.
        public var rates: [Kind: Double]
        /// Root fields that it is for; empty for all.
        public var operations: Set<String>
        /// How many more faults it gives; nil for no end.
        public var count: Int?
        /// How late a slow answer is.
        public var delay: Duration

        public init(
            rates: [Kind: Double], operations: Set<String> = [], count: Int? = nil, delay: Duration = .seconds(2)
        ) {
            self.rates = rates
            self.operations = operations
            self.count = count
            self.delay = delay
        }
    }

    private var rules: [Rule] = []
    private var random: SplitMix64
    package private(set) var injected: [Kind: Int] = [:]

    package init(rules: [Rule] = [], seed: UInt64) {
        self.rules = rules
        random = SplitMix64(state: seed)
    }

    package mutating func add(_ rule: Rule) { rules.append(rule) }
    package mutating func removeAll() { rules = [] }

    /// Decides on a request with these root fields; the same seed and requests give the same faults.
    package mutating func draw(for operations: [String]) -> (kind: Kind, delay: Duration)? {
        for index in rules.indices {
            let rule = rules[index]
            if rule.count == 0 { continue }
            if !rule.operations.isEmpty, rule.operations.isDisjoint(with: operations) { continue }
            var point = random.fraction()
            for kind in Kind.allCases {
                guard let rate = rule.rates[kind] else { continue }
                if point < rate {
                    if let count = rule.count { rules[index].count = count - 1 }
                    injected[kind, default: 0] += 1
                    return (kind, rule.delay)
                }
                point -= rate
            }
        }
        return nil
    }
}

/// A small generator whose whole state is its seed (Steele, Lea and Flood, 2014).
package struct SplitMix64: Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }
}

extension Faults.Rule {
    /// Reads what `POST /_sim/faults` takes:
    /// `{"rates": {"lost": 0.1}, "operations": ["upsertDataRows"], "count": 3, "delay_ms": 500}`.
    init(_ json: JSONValue) throws(FaultError) {
        guard case .object(let members)? = json["rates"] else {
            throw FaultError(description: "\"rates\" is missing: {\"rates\": {\"429\": 0.1}}")
        }
        var rates: [Faults.Kind: Double] = [:]
        for member in members {
            guard let kind = Faults.Kind(rawValue: member.key) else { throw FaultError(unknown: member.key) }
            guard let rate = member.value.double, (0...1).contains(rate) else {
                throw FaultError(description: "the rate of \(member.key) must be from 0 to 1")
            }
            rates[kind] = rate
        }
        self.init(
            rates: rates, operations: Set((json["operations"]?.list ?? []).compactMap { $0.string }),
            count: json["count"]?.int, delay: .milliseconds(json["delay_ms"]?.int ?? 2000))
    }

    /// Reads the command line's `KIND=RATE`.
    public init(argument: String) throws(FaultError) {
        let pair = argument.split(separator: "=", maxSplits: 1).map(String.init)
        guard pair.count == 2, let rate = Double(pair[1]), (0...1).contains(rate) else {
            throw FaultError(description: "'\(argument)' is not KIND=RATE with a rate from 0 to 1")
        }
        guard let kind = Faults.Kind(rawValue: pair[0]) else { throw FaultError(unknown: pair[0]) }
        self.init(rates: [kind: rate])
    }
}

/// A fault that cannot be asked for.
public struct FaultError: Error, CustomStringConvertible {
    public let description: String

    init(description: String) { self.description = description }

    init(unknown name: String) {
        let known = Faults.Kind.allCases.map(\.rawValue).joined(separator: ", ")
        description = "there is no fault '\(name)'; there are \(known)"
    }
}
