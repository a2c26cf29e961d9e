enum AdminServerPlaceholder {}
