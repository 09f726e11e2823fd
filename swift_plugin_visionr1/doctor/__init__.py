"""`vision-r1 doctor`: tells before training whether training would be wasted, and why.

    recipe                  what `swift rlhf` would be told
    environment, model      findings about the run's settings and its model
    rows, data, swift_data  the rows, leniently: what is wrong with one is a finding, not an
    exception
    image_files, cases      the rows with their images and what the model sees of them
    images, box_signs, labels, prompts, lengths, targets    findings about the data, a module for
    each kind
    pictures                the ground truth as the model will see it
    sampling, answers       the model asked through ms-swift, and what its answers say of the setup
    report                  all of it in order

Only swift_data and sampling import ms-swift, and only when they are needed.
"""
