import Collections
import KafkaWire
import Model
import NIOCore

/// Batches and sends the records of one partition, in order.
///
/// `send` fills the open batch; full or lingering batches are sealed into `ready`; at most ``ProducerOptions/inFlight`` are on their way.
/// After an error that may pass, nothing new is sent until every batch on its way has been answered; the failed ones then go first, in
/// their old order. With idempotence the broker drops those it has already; without it a repeated batch may be there twice.
actor PartitionProducer {
    private struct Batch {
        var id: Int
        var content: BatchFiller.Sealed
    }

    private enum Link {
        case down
        case connecting
        case up(BrokerConnection, version: Int16)
    }

    private let client: Client
    private let options: ProducerOptions
    private let topic: String
    private let partition: Int32
    private let report: @Sendable (Delivery) -> Void

    private var filler: BatchFiller
    private var nextBatch = 0
    private var ready: Deque<Batch> = []
    private var onTheWay: [Batch] = []
    private var failed: [Batch] = []
    private var attempt = 0
    private var isRecovering = false
    private var link = Link.down
    private var bufferedBytes = 0
    private var lingering: Task<Void, Never>?
    private var spaceWaiters: [CheckedContinuation<Void, Never>] = []
    private var flushWaiters: [CheckedContinuation<Void, Never>] = []
    private var firstError: ClientError?
    /// Set when the numbering of batches is broken: nothing more may be sent under this identity.
    private var fatal: ClientError?

    init(
        client: Client, options: ProducerOptions, topic: String, partition: Int32, identity: ProducerIdentity?,
        report: @escaping @Sendable (Delivery) -> Void
    ) {
        self.client = client
        self.options = options
        self.topic = topic
        self.partition = partition
        self.report = report
        filler = BatchFiller(limit: options.batchBytes, identity: identity, compression: options.compression)
    }

    /// Adds records; suspends while the buffer is full.
    func send(_ records: [OutgoingRecord]) async throws {
        let now = client.clock.now
        for record in records {
            if let fatal { throw fatal }
            try add(record, now: now)
            while bufferedBytes >= options.bufferBytes { await withCheckedContinuation { spaceWaiters.append($0) } }
        }
        settle()
    }

    /// Sends what is there and waits until all of it is answered. Throws the first error since the last flush.
    func flush() async throws {
        seal()
        pump()
        while !isIdle { await withCheckedContinuation { flushWaiters.append($0) } }
        if let error = firstError {
            firstError = nil
            throw error
        }
    }

    private var isIdle: Bool { ready.isEmpty && onTheWay.isEmpty && failed.isEmpty && filler.isEmpty }

    // MARK: Filling

    private func add(_ record: OutgoingRecord, now: Timestamp) throws {
        let size = BatchFiller.sizeBound(record)
        guard filler.canEverHold(size) else { throw ClientError.recordTooLarge(bytes: size, limit: options.batchBytes) }
        if !filler.hasRoom(size) {
            seal()
            pump()
        }
        if filler.isEmpty { filler.started = client.clock.monotonic }
        bufferedBytes += filler.add(record, now: now)
    }

    /// After a call: send at once, or let the batch linger.
    private func settle() {
        guard !filler.isEmpty else { return }
        guard options.lingerMs > 0 else { return pump() }
        guard lingering == nil else { return }
        let lingerMs = options.lingerMs
        lingering = Task { [weak self] in
            try? await Task.sleep(for: .milliseconds(lingerMs))
            await self?.lingered()
        }
    }

    private func lingered() {
        lingering = nil
        seal()
        pump()
    }

    private func seal() {
        guard !filler.isEmpty else { return }
        ready.append(Batch(id: nextBatch, content: filler.seal()))
        nextBatch += 1
    }

    // MARK: Sending

    private func pump() {
        guard !isRecovering else { return }
        while onTheWay.count < options.inFlight {
            if ready.isEmpty, options.lingerMs == 0 { seal() }
            guard !ready.isEmpty else { return }
            guard case .up(let connection, let version) = link, connection.isOpen else { return connect() }
            transmit(ready.removeFirst(), over: connection, version: version)
        }
    }

    private func connect() {
        if case .connecting = link { return }
        link = .connecting
        Task { await self.linkUp() }
    }

    private func linkUp() async {
        do {
            let connection = try await client.leaderConnection(topic, partition)
            link = .up(connection, version: try connection.version(.produce, limit: Self.newestByName))
            pump()
        } catch {
            link = .down
            failed.append(contentsOf: ready)
            ready = []
            let error = Self.clientError(error)
            // No other try can mend it: what waits is given up.
            await recover(error, givingUp: !error.isRetriable)
        }
    }

    /// Version 13 names topics by id, which this client does not use.
    private static let newestByName: Int16 = 12

    private func transmit(_ batch: Batch, over connection: BrokerConnection, version: Int16) {
        onTheWay.append(batch)
        var part = ProduceRequest.PartitionProduceData()
        part.index = partition
        part.records = batch.content.bytes
        var data = ProduceRequest.TopicProduceData()
        data.name = topic
        data.partitionData = [part]
        var request = ProduceRequest()
        request.acks = options.acks.rawValue
        request.timeoutMs = options.timeoutMs
        request.topicData = [data]
        if options.acks == .none {
            let written = connection.submitUnanswered(request, version: version)
            Task {
                do {
                    try await written.get()
                    await self.answered(batch.id, .success(nil))
                } catch { await self.answered(batch.id, .failure(Self.clientError(error))) }
            }
            return
        }
        let answer = connection.submit(request, version: version, timeoutMs: client.options.requestTimeoutMs + Int64(options.timeoutMs))
        Task {
            do {
                let response = try BrokerConnection.decode(try await answer.get(), as: ProduceResponse.self, version: version)
                await self.answered(batch.id, self.outcome(response))
            } catch { await self.answered(batch.id, .failure(Self.clientError(error))) }
        }
    }

    private nonisolated func outcome(_ response: ProduceResponse) -> Result<Offset?, ClientError> {
        guard let part = response.responses.first?.partitionResponses.first else {
            return .failure(.malformed(.produce, .truncated(needed: 1, remaining: 0)))
        }
        switch part.errorCode {
        case .none: return .success(part.baseOffset >= 0 ? Offset(part.baseOffset) : nil)
        case .duplicateSequenceNumber: return .success(nil)
        default:
            let detail = part.errorMessage.map { " (\($0))" } ?? ""
            return .failure(.refused(part.errorCode, what: "\(topic)-\(partition)\(detail)"))
        }
    }

    private static func clientError(_ error: any Error) -> ClientError {
        error as? ClientError ?? .refused(.networkException, what: "\(error)")
    }

    // MARK: Answers

    private func answered(_ id: Int, _ outcome: Result<Offset?, ClientError>) async {
        guard let index = onTheWay.firstIndex(where: { $0.id == id }) else { return }
        let batch = onTheWay.remove(at: index)
        switch outcome {
        case .success(let offset):
            attempt = 0
            finish(batch, offset: offset, error: nil)
            guard isRecovering else { return pump() }
            if onTheWay.isEmpty { await recover(nil) }
        case .failure(let error):
            if mayRetry(error) {
                failed.append(batch)
            } else {
                if options.idempotent { fatal = fatal ?? error }
                finish(batch, offset: nil, error: error)
            }
            await recover(error)
        }
    }

    /// A gap in the numbers is the consequence of an earlier batch that is to be repeated.
    private func mayRetry(_ error: ClientError) -> Bool {
        if fatal != nil { return false }
        if case .refused(.outOfOrderSequenceNumber, _) = error { return !failed.isEmpty }
        return error.isRetriable
    }

    private func recover(_ error: ClientError?, givingUp: Bool = false) async {
        // Before anything is awaited: nothing new may overtake what has failed.
        isRecovering = !failed.isEmpty || fatal != nil
        if let error, error.isRetriable {
            link = .down
            await client.forget(topic: topic)
        }
        guard isRecovering else { return pump() }
        guard onTheWay.isEmpty else { return }
        for batch in failed.sorted(by: { $0.id > $1.id }) { ready.prepend(batch) }
        failed = []
        if fatal == nil, !givingUp {
            // A producer is not cancelled; if its task is, the next try comes at once and finds that out.
            try? await client.pause(attempt: attempt)
            attempt += 1
        }
        giveUp(all: givingUp, error: error)
        isRecovering = false
        pump()
    }

    /// Drops batches whose time is over; all of them after a fatal error or when no other try makes sense.
    private func giveUp(all: Bool, error: ClientError?) {
        let now = client.clock.monotonic
        let reason = fatal ?? error ?? ClientError.refused(.requestTimedOut, what: "\(topic)-\(partition)")
        while let first = ready.first,
            all || fatal != nil || now.ms(since: first.content.started) >= client.options.deliveryTimeoutMs
        {
            // What is left out breaks the numbering of what follows.
            if options.idempotent { fatal = fatal ?? reason }
            ready.removeFirst()
            finish(first, offset: nil, error: reason)
        }
    }

    private func finish(_ batch: Batch, offset: Offset?, error: ClientError?) {
        bufferedBytes -= batch.content.filledBytes
        if let error, firstError == nil { firstError = error }
        report(
            Delivery(
                topic: topic, partition: partition, records: batch.content.records, bytes: batch.content.bytes.readableBytes,
                baseOffset: offset,
                started: batch.content.started, finished: client.clock.monotonic, error: error))
        if bufferedBytes < options.bufferBytes {
            for waiter in spaceWaiters { waiter.resume() }
            spaceWaiters = []
        }
        if isIdle {
            for waiter in flushWaiters { waiter.resume() }
            flushWaiters = []
        }
    }
}
