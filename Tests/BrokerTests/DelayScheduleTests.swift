import Testing

@testable import Broker

/// The release schedule's buckets and forecast.
@Suite struct DelayScheduleTests {
    @Test(arguments: [(-5, 0), (0, 0), (1, 1), (999, 1), (1_000, 2), (59_999, 3), (60_000, 4), (21_599_999, 7), (21_600_000, 8)])
    func `a due time has one bucket`(ms: Int, bucket: Int) {
        #expect(DelaySchedule.bucket(ms: Int64(ms)) == bucket)
    }

    @Test func `retries count by the attempt they wait for, and in the forecast`() {
        var schedule = DelaySchedule()
        schedule.add(retryIn: 500, attempt: 2)
        schedule.add(retryIn: 7_000, attempt: 2)
        schedule.add(retryIn: 7_500, attempt: 12)
        schedule.add(retryIn: -3, attempt: 3)
        schedule.add(retryIn: 400_000, attempt: 4)
        schedule.add(delayed: 30, bucket: 2)
        #expect(schedule.rows[0].retries == [3: 1] && schedule.overdue == 1)
        #expect(schedule.rows[1].retries == [2: 1] && schedule.rows[1].releaseRate == 1)
        #expect(schedule.rows[2].retries == [2: 1, 9: 1] && schedule.rows[2].delayed == 30 && schedule.rows[2].count == 32)
        #expect(schedule.forecast[0] == 2 && schedule.forecast[1] == 2 && schedule.forecast.reduce(0, +) == 4)
        #expect(schedule.forecastRates[1] == 0.4)
        #expect(schedule.nextDueMs == 0)
    }

    @Test func `a herd stands out from what is around it`() {
        var schedule = DelaySchedule()
        #expect(schedule.herd == nil)
        for step in 0..<DelaySchedule.forecastSteps { schedule.add(forecast: 90, step: step) }
        #expect(schedule.herd == nil)
        schedule.add(forecast: 400, step: 12)
        #expect(schedule.herd?.inMs == 60_000 && schedule.herd?.count == 490)
    }
}
