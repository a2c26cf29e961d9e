enum AdminServerTestsPlaceholder {}
